import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createBootstrapper } from '../../src-main/p2p/bootstrap/index.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { forgeRows, startForgingPeer } from '../fixtures/forging-peer.js'
import { addressesOver, createHosts, silentLog } from '../fixtures/hosts.js'
import { startModelServer } from '../fixtures/model-servers/index.js'
import { chat, llmFlags, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const MODEL = 'test-model'
/** More than a round of bootstrapping is content with. */
const CROWD = 12
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startNode(...flags: string[]): Promise<NodeProcess> {
  const node = await startNodeProcess({ flags: ['--demo-model', 'off', ...flags] })
  cleanups.push(() => node.stop())
  return node
}

/** A bootstrap source; its URL. */
async function startSource(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/dnt/bootstraps`
}

/** Peers that take connections and say nothing of anyone. */
async function startCrowd() {
  const crowd = await Promise.all(Array.from({ length: CROWD }, () => startBareHost()))
  cleanups.push(() => Promise.all(crowd.map((host) => host.stop())))
  return crowd
}

test('a newcomer whose quickest bootstrap source names only hostile peers has the honest view, and is answered', async () => {
  const server = await startModelServer({
    models: [MODEL],
    answer: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    },
  })
  cleanups.push(() => server.close())
  const provider = await startNode(...llmFlags(server.port))
  const crowd = await startCrowd()
  const forger = await startForgingPeer()
  cleanups.push(() => forger.stop())
  const rows = await forgeRows(300, (index) => [MODEL, `forged-${index}`])

  const hostile = await startSource((_request, response) =>
    response.end(JSON.stringify({ bootstraps: crowd.flatMap((host) => host.multiaddrs()) })),
  )
  // The honest one is the slower: by then the newcomer has more peers than it looks for.
  const isSurrounded = (): boolean => crowd.filter((host) => host.libp2p.getConnections().length > 0).length >= 8
  const honest = await startSource((_request, response) => {
    void until(isSurrounded, { what: 'the newcomer is surrounded' }).then(() =>
      response.end(JSON.stringify({ bootstraps: provider.multiaddrs })),
    )
  })
  const newcomer = await startNode('--bootstrap.sources', hostile, '--bootstrap.sources', honest)
  await forger.bring(newcomer, rows)

  await untilListed(newcomer.gateway, MODEL)
  expect(await modelIds(newcomer.gateway)).toEqual([MODEL])
  const answer = await chat(newcomer.gateway, { model: MODEL })
  expect([answer.status, answer.headers.get('x-computing-node')]).toEqual([200, provider.peerId])
})

test('a node that hostile peers connect to before it has asked its bootstrap source asks it all the same', async () => {
  const hosts = createHosts()
  cleanups.push(() => hosts.close())
  const honest = await hosts.host()
  const node = await hosts.host()
  await Promise.all((await startCrowd()).map((host) => connect(host, node)))
  const sources = [{ setting: 'bootstrap.addr', values: addressesOver(honest, 'tcp') }]
  const rememberFile = join(await hosts.folder(), 'remembered-peers.json')
  const bootstrapper = createBootstrapper({ host: node, log: silentLog }, { mode: 'node', sources, rememberFile })
  await bootstrapper.start(new AbortController().signal)
  hosts.defer(() => bootstrapper.stop())
  await until(() => node.isConnected(honest.peerId), { what: 'the honest peer is met' })
})
