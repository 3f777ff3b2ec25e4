import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Metrics, MultiaddrConnection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import Koa from 'koa'
import { Registry } from 'prom-client'
import type { Uint8ArrayList } from 'uint8arraylist'
import { request } from 'undici'
import { monotonicClock, systemClock } from '../../../src-main/base/clock.js'
import { openDataFolder } from '../../../src-main/base/data-folder.js'
import type { GatewayNeeds } from '../../../src-main/gateway/needs.js'
import { dntRoutes } from '../../../src-main/gateway/routes/dnt.js'
import { createNodeTable, type NodeTable } from '../../../src-main/node-table/index.js'
import { loadIdentity } from '../../../src-main/p2p/identity/identity.js'
import { createHost, type Host } from '../../../src-main/p2p/index.js'
import { createLibp2pMetrics } from '../../../src-main/telemetry/libp2p-metrics.js'
import type { PeerRecord } from '../../../src-shared/records.js'
import { silentLog } from '../../fixtures/hosts.js'
import { recordOffering } from '../../fixtures/table-owners.js'

// Several whole nodes (host with gossip, DHT and identify; table) in one process; counts the bytes they write on streams.

type Question =
  | { start: number }
  | { dial: string[][] }
  | { publish: { node: number; models: string[] } }
  | { sizes: true }
  | { dhtPeers: true }
  | { bytes: true }
  | { seen: string }
  | { timedDial: string }
  | { timedAsk: string }

const log = silentLog
const nodes: { host: Host; table: NodeTable; server: Server }[] = []
const folders: string[] = []
const bytes = new Map<string, number>()
/** The key under which all bytes that leave a node are counted. */
const WIRE = 'wire'
/** Model → when each node's table had it, and when its `/v1/dnt/table` showed it, in Unix milliseconds. */
const seen = new Map<string, { table: number[]; http: number[] }>()

const count = (what: string, sizeBytes: number): void => void bytes.set(what, (bytes.get(what) ?? 0) + sizeBytes)

/** Bytes on streams by protocol, and on the wire: with what multiplexing, encryption and protocol negotiation add. */
function countingMetrics(): Metrics {
  return {
    ...createLibp2pMetrics({ registry: new Registry() }),
    trackMultiaddrConnection(connection: MultiaddrConnection) {
      const send = connection.send.bind(connection)
      connection.send = (data) => {
        count(WIRE, data.byteLength)
        return send(data)
      }
    },
    trackProtocolStream(stream: Stream) {
      const send = stream.send.bind(stream)
      stream.send = (data) => {
        count(labelOf(stream.protocol, data), data.byteLength)
        return send(data)
      }
    },
  }
}

/** Below, a message of gossipsub carries no row. */
const SMALLEST_ROW_BYTES = 400

function labelOf(protocol: string, data: Uint8Array | Uint8ArrayList): string {
  if (protocol.includes('/kad/')) return `${protocol} ${kadType(data)}`
  if (protocol.includes('meshsub')) return `${protocol} ${data.byteLength < SMALLEST_ROW_BYTES ? 'control' : 'rows'}`
  return protocol
}

const KAD_TYPES = ['PUT_VALUE', 'GET_VALUE', 'ADD_PROVIDER', 'GET_PROVIDERS', 'FIND_NODE', 'PING']

/** What a DHT message is about: a length as varint, then field 1 of the message. */
function kadType(data: Uint8Array | Uint8ArrayList): string {
  const head = data.subarray(0, 12)
  let at = 0
  while ((head[at] ?? 0) >= 0x80) at += 1
  return head[at + 1] === 0x08 ? (KAD_TYPES[head[at + 2] ?? -1] ?? 'other') : 'PUT_VALUE'
}

async function start(count: number): Promise<object> {
  for (let index = 0; index < count; index += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'ocf-bench-'))
    folders.push(folder)
    const dataFolder = await openDataFolder(folder)
    const identity = await loadIdentity({ dataDir: dataFolder.dir, seed: '' }, log)
    const host = createHost(
      { identity, log, dataFolder, metrics: countingMetrics() },
      {
        ...{ mode: 'node', tcpPort: 0, wsPort: 0, udpPort: 0, listenHosts: ['127.0.0.1'] },
        ...{ publicAddr: '', version: '0.0.0-bench' },
      },
    )
    await host.start(new AbortController().signal)
    const table = createNodeTable(
      { host, log, clock: systemClock, monotonic: monotonicClock },
      { dataDir: dataFolder.dir, leaseMs: 600_000, version: 'bench' },
    )
    await table.start(new AbortController().signal)
    const server = await serveTable(host, table)
    const { port } = server.address() as AddressInfo
    table.subscribe((event) => {
      if (event.type === 'row:removed') return
      const model = event.row.record.service[0]?.identity_group[0]?.slice('model='.length) ?? ''
      const times = seen.get(model) ?? { table: [], http: [] }
      seen.set(model, times)
      times.table.push(nowMs())
      if (!model.startsWith('write-')) return
      // Asked once, as soon as there is something new: asking all the time would be most of what is measured.
      void isShown(port, event.row.peerId, model).then((isThere) => {
        if (isThere) times.http.push(nowMs())
      })
    })
    nodes.push({ host, table, server })
  }
  return {
    addresses: nodes.map(({ host }) => host.multiaddrs().find((address) => /\/tcp\/\d+\/p2p\//.test(address)) ?? ''),
  }
}

const nowMs = (): number => performance.timeOrigin + performance.now()

/** The gateway's own `/v1/dnt/table` behind HTTP, without the rest of the gateway. */
async function serveTable(host: Host, table: NodeTable): Promise<Server> {
  const routes = dntRoutes({
    host,
    ownTable: table,
    reachable: { standing: () => 'proven' },
  } as unknown as GatewayNeeds)
  const route = routes.find(({ path }) => path === '/v1/dnt/table')
  const app = new Koa()
  app.use((ctx) => route?.handle?.(ctx, {}))
  const server = createServer(app.callback() as RequestListener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function isShown(port: number, peerId: string, model: string): Promise<boolean> {
  const { body } = await request(`http://127.0.0.1:${String(port)}/v1/dnt/table?all=1`)
  const rows = (await body.json()) as Record<string, PeerRecord>
  return rows[`/${peerId}`]?.service[0]?.identity_group[0] === `model=${model}`
}

/** Two nodes that dial one another at once may lose both connections: once more then. */
async function dial(index: number, address: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await nodes[index]?.host.libp2p.dial(multiaddr(address))
      return
    } catch (error) {
      if (tries === 5) throw error
      await pause(100 * tries)
    }
  }
}

async function answer(question: Question): Promise<object> {
  if ('start' in question) return start(question.start)
  if ('dial' in question) {
    for (const [index, addresses] of question.dial.entries()) {
      for (const address of addresses) await dial(index, address)
    }
    return {}
  }
  if ('publish' in question) {
    const { node, models } = question.publish
    const chosen = nodes[node]
    if (chosen === undefined) throw new Error('no such node')
    const atMs = nowMs()
    await chosen.table.publish(recordOffering(chosen.host.peerId, models))
    return { atMs }
  }
  if ('sizes' in question) return { sizes: nodes.map(({ table }) => table.size) }
  if ('dhtPeers' in question) {
    return { peers: nodes.map(({ host }) => host.reach?.().dht.find(({ name }) => name === 'lan')?.peers ?? 0) }
  }
  if ('timedDial' in question) {
    const startedAt = performance.now()
    await nodes[0]?.host.libp2p.dial(multiaddr(question.timedDial))
    return { dialMs: performance.now() - startedAt }
  }
  if ('timedAsk' in question) {
    const startedAt = performance.now()
    const outcome = await nodes[0]?.table.status.refresh(question.timedAsk)
    if (outcome?.kind !== 'answered') throw new Error(`no answer: ${JSON.stringify(outcome)}`)
    return { askMs: performance.now() - startedAt }
  }
  if ('bytes' in question) return { bytes: [...bytes] }
  return seen.get(question.seen) ?? { table: [], http: [] }
}

process.on('message', (question: Question) => {
  answer(question).then(
    (figures) => process.send?.(figures),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('SIGTERM', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
