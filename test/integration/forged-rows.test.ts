import { afterEach, describe, expect, test } from 'vitest'
import { createReachablePeers } from '../../src-main/gateway/index.js'
import { connect } from '../fixtures/bare-host.js'
import { forgeRows, startForgingPeer } from '../fixtures/forging-peer.js'
import { inLongRun } from '../fixtures/long-run.js'
import { startModelServer } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { createTableNodes, offer } from '../fixtures/table-nodes.js'
import { until } from '../fixtures/until.js'

/** The long form of the attacks runs ten times as many of what a node refuses anyhow. */
const TIMES = inLongRun(10, 1)
const MODEL = 'test-model'
const MAX_LIST_BYTES = 256 * 1024
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startNode(...flags: string[]): Promise<NodeProcess> {
  const node = await startNodeProcess({ flags: ['--demo-model', 'off', ...flags] })
  cleanups.push(() => node.stop())
  return node
}

interface SeenRow {
  id: string
  standing: string
  service: { identity_group: string[] }[]
}

async function tableOf({ gateway }: { gateway: string }): Promise<SeenRow[]> {
  const response = await fetch(`${gateway}/v1/dnt/table?all=1`)
  return Object.values((await response.json()) as Record<string, SeenRow>)
}

/** What a GET costs: its bytes, and the milliseconds until the last one. */
async function costOf(url: string): Promise<{ bytes: number; ms: number }> {
  const startedAt = performance.now()
  const bytes = (await (await fetch(url)).arrayBuffer()).byteLength
  return { bytes, ms: Math.round(performance.now() - startedAt) }
}

/** Figures are printed: what a machine takes decides no test. */
const report = (figures: object): void => void process.stdout.write(`${JSON.stringify(figures)}\n`)

const ATTACKS: [what: string, count: number, models: (index: number) => string[], maxMiB: number][] = [
  [
    '3,000 rows of 200 names each',
    3_000,
    (row) => Array.from({ length: 200 }, (_, number) => `m${row.toString(36)}-${number.toString(36)}`),
    50,
  ],
  [
    '300 rows with as many names as fit',
    300,
    (row) => Array.from({ length: 250 }, (_, number) => `${row.toString(36)}-${number.toString(36)}`),
    50,
  ],
  ['rows of one name each by the thousand', 2_500 * TIMES, (row) => [`model-${row}`], TIMES > 1 ? 64 : 50],
]

describe.each(ATTACKS)('one hostile peer that brings %s', (what, count, models, maxMiB) => {
  test(
    'costs the node that it met little memory, is in no list, and keeps no model from being found',
    { timeout: 300_000 },
    async () => {
      const server = await startModelServer({
        answer: (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
        },
      })
      cleanups.push(() => server.close())
      const victim = await startNode()
      await startNode(...flagsToJoin(victim), ...llmFlags(server.port))
      await untilListed(victim.gateway, MODEL)
      const rows = await forgeRows(count, models)
      const before = victim.rssMiB()

      const attacker = await startForgingPeer()
      cleanups.push(() => attacker.stop())
      await attacker.bring(victim, rows)
      await attacker.stop()
      const held = (await tableOf(victim)).filter(({ standing }) => standing === 'unproven')
      const gained = victim.rssMiB() - before
      const names = new Set(held.flatMap(({ service }) => service.flatMap((one) => one.identity_group)))
      const list = await costOf(`${victim.gateway}/v1/models`)
      const unknown = await chat(victim.gateway, { model: 'test-modle' })
      report({ what, gainedMiB: Math.round(gained), rows: held.length, names: names.size, list })
      expect(held.length).toBeGreaterThan(0)
      expect(names.size).toBeLessThanOrEqual(2_048)
      expect(gained).toBeLessThanOrEqual(maxMiB)
      expect(list.bytes).toBeLessThanOrEqual(MAX_LIST_BYTES)
      expect(list.ms).toBeLessThan(1_000)
      expect(await modelIds(victim.gateway)).toEqual([MODEL])
      expect(unknown.status).toBe(404)
      expect(await unknown.text()).toContain(`Did you mean ${MODEL}?`)

      // One that never met the attacker has what the victim passes on, and lists none of it.
      const third = await startNode(...flagsToJoin(victim))
      await until(async () => (await tableOf(third)).length > 10, { what: 'the third node has forged rows' })
      await untilListed(third.gateway, MODEL)
      const passedOn = await tableOf(third)
      const listed = await modelIds(third.gateway)
      report({ what, third: { rows: passedOn.length, listed: listed.length } })
      expect(listed).toEqual([MODEL])
      expect((await chat(third.gateway, { model: MODEL })).status).toBe(200)
    },
  )
})

test('twenty honest nodes that one bootstrap tells of are all known to be there within seconds', async () => {
  const nodes = createTableNodes()
  cleanups.push(() => nodes.close())
  const hub = await nodes.start()
  const honest = await Promise.all(Array.from({ length: 20 }, () => nodes.start()))
  for (const [index, node] of honest.entries()) {
    await connect(node.host, hub.host)
    await offer(node, `honest-${index}`)
  }
  await until(() => hub.table.size === 20, { what: 'the hub has all rows' })
  const newcomer = await nodes.start()
  // What the DHT finds of a peer: where it listens.
  for (const { host } of honest) {
    await newcomer.host.libp2p.peerStore.merge(host.libp2p.peerId, { multiaddrs: host.libp2p.getMultiaddrs() })
  }
  const reachable = createReachablePeers({
    ...{ host: newcomer.host, table: newcomer.table },
    health: { isRoutable: () => true, isPaused: () => false },
  })
  await reachable.start(new AbortController().signal)
  cleanups.push(() => reachable.stop())
  const startedAt = performance.now()
  await connect(newcomer.host, hub.host)
  await until(() => honest.every(({ host }) => reachable.has(host.peerId)), { what: 'all are known to be there' })
  report({ knownAfterMs: Math.round(performance.now() - startedAt) })
})

test('a stranger’s name that looks like an own model is neither listed nor asked', async () => {
  const own = await startModelServer({ models: ['llama3.2'], answer: (_request, response) => void response.end('{}') })
  let prompts = 0
  const names = ['Llama3.2', 'llama3․2', 'llаma3.2', 'llama3.1']
  const theirs = await startModelServer({
    models: names,
    answer: (_request, response) => {
      prompts += 1
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    },
  })
  cleanups.push(
    () => own.close(),
    () => theirs.close(),
  )
  const user = await startNode(...llmFlags(own.port))
  await startNode(...flagsToJoin(user), ...llmFlags(theirs.port))
  await untilListed(user.gateway, 'llama3.1')
  expect((await modelIds(user.gateway)).sort()).toEqual(['llama3.1', 'llama3.2'])
  for (const model of names.slice(0, 3)) {
    const refused = await chat(user.gateway, { model })
    const { error } = (await refused.json()) as { error: { code: string; message: string } }
    expect([refused.status, error.code]).toEqual([403, 'beyond_reach'])
    expect(error.message).toContain('only looks like "llama3.2"')
  }
  expect(prompts).toBe(0)
  expect((await chat(user.gateway, { model: 'llama3.1' })).status).toBe(200)
})
