import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { watchHealth, type Wellbeing } from '../fixtures/health-probe.js'
import type { AttackOptions, AttackResult } from '../fixtures/hostile-peer.js'
import { startTestServer, type TestServer } from '../fixtures/http-server.js'
import { requestOver, startLightHost } from '../fixtures/light-host.js'
import { inLongRun } from '../fixtures/long-run.js'
import { startNodeProcess, type NodeProcess, type NodeProcessOptions } from '../fixtures/node-process.js'
import { runFixture } from '../fixtures/typescript-child.js'
import { until } from '../fixtures/until.js'

/** All of 127.0.0.0/8 is this machine on Linux only: how one machine is many addresses. */
const ATTACKER = process.platform === 'linux' ? '127.0.0.66' : '127.0.0.1'
/** The long run attacks for longer. */
const TIMES = inLongRun(10, 1)
const SHARED = '/v1/_service/llm/v1/echo'
const MOST_GROWN_MIB = 150
const SLOWEST_MS = 6000

const ends: (() => unknown)[] = []
let server: TestServer
let node: NodeProcess

beforeEach(async () => {
  server = await startTestServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'tiny', object: 'model' }] }))
  })
  ends.push(() => server.close())
  node = await startVictim()
  await until(async () => (await askAsNewcomer()) === 200, { what: 'the service is shared' })
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startVictim(options: NodeProcessOptions = {}): Promise<NodeProcess> {
  const service = ['--service.name', 'llm', '--service.port', String(server.port)]
  const started = await startNodeProcess({
    ...options,
    flags: ['--demo-model', 'off', ...service, '--service.shared-path', 'POST /v1/echo', ...(options.flags ?? [])],
  })
  ends.push(() => started.stop())
  return started
}

const tcpAddress = ({ multiaddrs }: NodeProcess): string =>
  multiaddrs.find((address) => /\/tcp\/\d+\/p2p\//.test(address)) ?? ''

/** Somebody honest who was never here before uses what the node shares. */
async function askAsNewcomer(): Promise<number> {
  const host = await startLightHost()
  try {
    const connection = await host.dial(multiaddr(tcpAddress(node)), { signal: AbortSignal.timeout(10_000) })
    return (await requestOver(connection, SHARED, { method: 'POST', body: '{}' })).status
  } finally {
    await host.stop()
  }
}

async function attack(name: string, options: AttackOptions): Promise<AttackResult & Wellbeing> {
  const stop = watchHealth(node)
  const child = runFixture('hostile-peer.ts', [
    name,
    tcpAddress(node),
    JSON.stringify({ localAddress: ATTACKER, ...options }),
  ])
  ends.push(() => child.process.kill())
  const result = JSON.parse(await child.line()) as AttackResult
  const outcome = { ...result, ...(await stop()) }
  process.stdout.write(`${name}: ${JSON.stringify(outcome)}\n`)
  return outcome
}

async function expectUnharmed({ maxMs, grownMiB }: Wellbeing): Promise<void> {
  expect(grownMiB).toBeLessThan(MOST_GROWN_MIB)
  expect(maxMs).toBeLessThan(SLOWEST_MS)
  expect(await askAsNewcomer()).toBe(200)
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

test('a peer that floods a node with full RPCs of PRUNEs is disconnected and refused', async () => {
  const outcome = await attack('prunes', { each: 5000, bytes: 26 * 1024 * 1024 * TIMES, seconds: 20 * TIMES })
  await expectUnharmed(outcome)
  expect(outcome).toMatchObject({ wasCut: true, mayReturn: false })
})

test('a peer that floods a node with many small RPCs of PRUNEs is disconnected and refused', async () => {
  const outcome = await attack('prunes', { each: 16, bytes: 26 * 1024 * 1024 * TIMES, seconds: 20 * TIMES })
  await expectUnharmed(outcome)
  expect(outcome).toMatchObject({ wasCut: true, mayReturn: false })
})

test('a peer that sends gossip of topics that are not ours at 4 MB/s is disconnected and refused', async () => {
  const outcome = await attack('gossip', { each: 30, seconds: 8 * TIMES })
  await expectUnharmed(outcome)
  expect(outcome).toMatchObject({ wasCut: true, mayReturn: false })
})

test('provider records with 50,000 addresses reach neither the peer store nor another node', async () => {
  await expectUnharmed(await attack('addresses', { each: 50_000, messages: 3, model: 'evil' }))
  // As many as one message may have, over and over.
  await expectUnharmed(await attack('addresses', { each: 250, messages: 200 * TIMES, model: 'evil' }))

  const other = await startVictim({ flags: ['--table.reader', 'dht', '--bootstrap.addr', tcpAddress(node)] })
  const stop = watchHealth(other)
  for (let round = 0; round < 2; round += 1) {
    await fetch(`${other.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'evil', messages: [] }),
    }).then((response) => response.arrayBuffer())
  }
  const { maxMs, grownMiB } = await stop()
  expect(maxMs).toBeLessThan(SLOWEST_MS)
  expect(grownMiB).toBeLessThan(MOST_GROWN_MIB)
})

test('a peer that publishes keys as fast as it can is disconnected and fills no disk', async () => {
  const before = folderBytes(node.dataDir)
  const outcome = await attack('keys', { messages: 200_000 * TIMES, seconds: 6 * TIMES })
  await expectUnharmed(outcome)
  expect(folderBytes(node.dataDir) - before).toBeLessThan(1024 * 1024)
  expect(outcome).toMatchObject({ wasCut: true, mayReturn: false })
})

test('a peer that pushes ten messages full of addresses at a time is disconnected and refused', async () => {
  const outcome = await attack('pushes', { each: 800, messages: 60 * TIMES, seconds: 20 * TIMES })
  await expectUnharmed(outcome)
  expect(outcome).toMatchObject({ wasCut: true, mayReturn: false })
})

test('a peer that prunes a node and names others to go to has neither it nor its neighbour connect to them', async () => {
  let connections = 0
  const canary = createServer((socket) => {
    connections += 1
    socket.on('error', () => undefined).end()
  }).listen(0, '127.0.0.1')
  await once(canary, 'listening')
  ends.push(() => canary.close())
  const neighbour = await startVictim({ flags: ['--bootstrap.addr', tcpAddress(node)] })
  const { port } = canary.address() as AddressInfo
  await expectUnharmed(await attack('exchange', { each: 16, messages: 20 * TIMES, port }))
  expect((await fetch(`${neighbour.gateway}/v1/health`)).status).toBe(200)
  expect(connections).toBe(0)
})

test('a node that joins an attacked one afterwards, and never met the attacker, is as quick and as small as any', async () => {
  await attack('prunes', { each: 5000, bytes: 8 * 1024 * 1024, seconds: 5 })
  await attack('gossip', { each: 30, seconds: 4 })
  await attack('keys', { messages: 50_000, seconds: 4 })
  await attack('pushes', { each: 800, messages: 20, seconds: 5 })
  await attack('addresses', { each: 250, messages: 100, model: 'evil', seconds: 5 })
  const newcomer = await startVictim({ flags: ['--table.reader', 'dht', '--bootstrap.addr', tcpAddress(node)] })
  const stop = watchHealth(newcomer)
  const before = folderBytes(newcomer.dataDir)
  await until(async () => (await modelsOf(newcomer)).includes('tiny'), { what: 'the newcomer lists what there is' })
  await fetch(`${newcomer.gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'evil', messages: [] }),
  }).then((response) => response.arrayBuffer())
  const { maxMs, grownMiB } = await stop()
  expect(maxMs).toBeLessThan(SLOWEST_MS)
  expect(grownMiB).toBeLessThan(MOST_GROWN_MIB)
  expect(folderBytes(newcomer.dataDir) - before).toBeLessThan(1024 * 1024)
})

async function modelsOf({ gateway }: NodeProcess): Promise<string[]> {
  const response = await fetch(`${gateway}/v1/models`)
  return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id)
}
