import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { emptyPeerRecord } from '#shared/records.js'
import type { PeerRecord } from '#shared/records.js'
import { monotonicClock, systemClock } from '../../src-main/base/clock.js'
import { createNodeTable } from '../../src-main/node-table/index.js'
import type { NodeTable } from '../../src-main/node-table/index.js'
import { TABLE_TOPIC } from '../../src-main/node-table/replicate/gossip.js'
import { encodeGossipMessages } from '../../src-main/node-table/replicate/gossip.js'
import { SYNC_PROTOCOL } from '../../src-main/node-table/replicate/sync.js'
import { canonicalUpdate } from '../../src-main/node-table/wire/canonical-update.js'
import { EPOCH_MS, epochOf } from '../../src-main/node-table/wire/epoch.js'
import { encodeFrame } from '../../src-main/node-table/wire/sync-frames.js'
import type { Host } from '../../src-main/p2p/index.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { createOwner, createRandom, mutate } from '../fixtures/table-owners.js'

interface Node {
  host: Host
  table: NodeTable
  log: ReturnType<typeof createRecordingLog>
}

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startNode(options: { dataDir?: string; host?: Host } = {}): Promise<Node> {
  const dataDir = options.dataDir ?? (await temporaryFolder())
  const host = options.host ?? (await startBareHost())
  const log = createRecordingLog()
  const table = createNodeTable(
    { host, log, clock: systemClock, monotonic: monotonicClock },
    { dataDir, leaseMs: 600_000, syncEveryMs: 60_000 },
  )
  await table.start(new AbortController().signal)
  cleanups.push(async () => {
    await table.stop()
    await host.stop()
  })
  return { host, table, log }
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocf-table-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function offering(peerId: string, model: string): PeerRecord {
  const record = emptyPeerRecord(peerId)
  return {
    ...record,
    service: [
      {
        name: 'llm',
        hardware: record.hardware,
        status: 'connected',
        host: '127.0.0.1',
        port: '11434',
        identity_group: [`model=${model}`],
      },
    ],
  }
}

const providersOf = (node: Node, model: string): string[] => [...node.table.providers('llm', `model=${model}`)]
const eventually = { timeout: 20_000, interval: 10 }

test('a row published by one node is in every node’s table', async () => {
  const [a, b, c] = [await startNode(), await startNode(), await startNode()]
  await connect(a.host, b.host)
  await connect(b.host, c.host)
  await a.table.publish(offering(a.host.peerId, 'one'))
  await expect.poll(() => providersOf(c, 'one'), eventually).toEqual([a.host.peerId])
  expect(providersOf(a, 'one')).toEqual([a.host.peerId])
  expect(providersOf(b, 'one')).toEqual([a.host.peerId])
  await c.table.publish(offering(c.host.peerId, 'two'))
  await expect.poll(() => providersOf(a, 'two'), eventually).toEqual([c.host.peerId])
})

test('a node that joins late gets all rows by a sync', async () => {
  const [a, b] = [await startNode(), await startNode()]
  await connect(a.host, b.host)
  await a.table.publish(offering(a.host.peerId, 'one'))
  await b.table.publish(offering(b.host.peerId, 'two'))
  await expect.poll(() => [a.table.size, b.table.size], eventually).toEqual([2, 2])
  const late = await startNode()
  await connect(late.host, a.host)
  await expect.poll(() => late.table.size, eventually).toBe(2)
})

test('a withdrawal takes the row out of every table, and a late joiner does not see it', async () => {
  const [a, b, c] = [await startNode(), await startNode(), await startNode()]
  await connect(a.host, b.host)
  await connect(b.host, c.host)
  await a.table.publish(offering(a.host.peerId, 'one'))
  await expect.poll(() => providersOf(c, 'one'), eventually).toHaveLength(1)
  await a.table.withdraw()
  await expect.poll(() => [a, b, c].map((node) => node.table.size), eventually).toEqual([0, 0, 0])
  await b.table.publish(offering(b.host.peerId, 'two'))
  const late = await startNode()
  await connect(late.host, c.host)
  await expect.poll(() => late.table.size, eventually).toBe(1)
  expect(providersOf(late, 'one')).toEqual([])
})

test('a node that comes back on its data folder knows the table and goes on with its own sequence', async () => {
  const dataDir = await temporaryFolder()
  const [a, b] = [await startNode({ dataDir }), await startNode()]
  await connect(a.host, b.host)
  await a.table.publish(offering(a.host.peerId, 'one'))
  await b.table.publish(offering(b.host.peerId, 'two'))
  await expect.poll(() => [a.table.size, b.table.size], eventually).toEqual([2, 2])
  const before = a.table.get(a.host.peerId)!
  await a.table.stop()
  await a.table.stop()
  await a.host.stop()
  const again = await startNode({
    dataDir,
    host: await startBareHost({ privateKey: a.host.identity.privateKey }),
  })
  expect(again.table.size).toBe(2)
  expect(again.table.get(a.host.peerId)).toEqual(before)
  await again.table.publish(offering(a.host.peerId, 'three'))
  await connect(again.host, b.host)
  await expect.poll(() => providersOf(b, 'three'), eventually).toEqual([a.host.peerId])
  expect(providersOf(b, 'one')).toEqual([])
})

test('a second table on one data folder does not start, and says why', async () => {
  const dataDir = await temporaryFolder()
  await startNode({ dataDir })
  await expect(startNode({ dataDir })).rejects.toMatchObject({ code: 'data_dir_locked' })
})

test('rows written before two groups of nodes meet reach everyone', async () => {
  const nodes = await Promise.all(Array.from({ length: 6 }, () => startNode()))
  const [a, b, c, d, e, f] = nodes as [Node, Node, Node, Node, Node, Node]
  for (const [from, to] of [
    [a, b],
    [b, c],
    [d, e],
    [e, f],
  ] as const) {
    await connect(from.host, to.host)
  }
  await Promise.all(nodes.map((node) => node.table.publish(offering(node.host.peerId, 'one'))))
  await expect.poll(() => nodes.map((node) => node.table.size), eventually).toEqual([3, 3, 3, 3, 3, 3])
  await connect(a.host, f.host)
  await expect.poll(() => nodes.map((node) => node.table.size), eventually).toEqual([6, 6, 6, 6, 6, 6])
})

test('hostile bytes by gossip change nothing, are not passed on, and silence their sender', async () => {
  const [honest, behind] = [await startNode(), await startNode()]
  const hostile = await startBareHost()
  cleanups.push(() => hostile.stop())
  hostile.pubsub.subscribe(TABLE_TOPIC)
  await connect(honest.host, behind.host)
  await connect(hostile, honest.host)
  await honest.table.publish(offering(honest.host.peerId, 'one'))
  const subscribers = (): string[] => hostile.pubsub.getSubscribers(TABLE_TOPIC).map(String)
  await expect.poll(subscribers, eventually).toContain(honest.host.peerId)
  const [stranger, silenced] = [await createOwner(1), await createOwner(2)]
  const now = { epoch: epochOf(Date.now()), seq: Date.now() % EPOCH_MS }

  await hostile.pubsub.publish(TABLE_TOPIC, encodeGossipMessages([stranger.row(now)])[0])
  await expect.poll(() => behind.table.size, eventually).toBe(2)

  const random = createRandom(6)
  const genuine = encodeGossipMessages([silenced.row(now)])[0]!
  const sent = new Set([Buffer.from(genuine).toString('base64')])
  for (let round = 0; round < 200; round += 1) {
    const bytes = mutate(genuine, random)
    const text = Buffer.from(bytes).toString('base64')
    if (!sent.has(text)) await hostile.pubsub.publish(TABLE_TOPIC, bytes)
    sent.add(text)
  }
  await honest.log.line('a peer keeps sending invalid rows and is not listened to for a while')
  await hostile.pubsub.publish(TABLE_TOPIC, genuine)
  await honest.table.publish(offering(honest.host.peerId, 'still-here'))
  await expect.poll(() => providersOf(behind, 'still-here'), eventually).toEqual([honest.host.peerId])
  for (const node of [honest, behind]) {
    expect([...node.table.rows()].map(({ peerId }) => peerId).sort()).toEqual(
      [honest.host.peerId, stranger.peerId].sort(),
    )
  }
  expect(behind.log.lines.filter(({ level }) => level === 'warn')).toEqual([])
})

test('hostile bytes in a sync change nothing, and end it', async () => {
  const honest = await startNode()
  const hostile = await startBareHost()
  cleanups.push(() => hostile.stop())
  await connect(hostile, honest.host)
  await honest.table.publish(offering(honest.host.peerId, 'one'))
  const random = createRandom(7)
  const forged = (await createOwner(3)).row({ epoch: epochOf(Date.now()), seq: Date.now() % EPOCH_MS })
  forged[forged.length - 1]! ^= 1
  const hello = encodeFrame({ type: 'hello', timeMs: Date.now(), digest: new Uint8Array(16) })
  const update = canonicalUpdate([{ peerId: 'any', epoch: 1, seq: 1, clientId: 1, bytes: forged }])
  const attacks = [
    new Uint8Array([0xff, 0xff, 0xff, 0xff, 1]),
    new Uint8Array([0, 0, 0, 0]),
    new Uint8Array(3 * 1024 * 1024),
    Uint8Array.from([...hello, ...encodeFrame({ type: 'rows', update })]),
    ...Array.from({ length: 12 }, () => mutate(Uint8Array.from([...hello, ...hello]), random)),
  ]
  const connection = hostile.libp2p.getConnections()[0]!
  for (const bytes of attacks) {
    const stream = await connection.newStream(SYNC_PROTOCOL)
    const ended = new Promise((resolve) => {
      stream.addEventListener('close', resolve)
    })
    stream.addEventListener('message', () => undefined)
    stream.send(bytes)
    await stream.close().catch(() => undefined)
    await ended
  }
  expect([...honest.table.rows()].map(({ peerId }) => peerId)).toEqual([honest.host.peerId])
  const late = await startNode()
  await connect(late.host, honest.host)
  await expect.poll(() => late.table.size, eventually).toBe(1)
})
