import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { createRandom } from '../fixtures/table-owners.js'
import { until } from '../fixtures/until.js'

const MODEL = 'unequal'
/** What each server takes to read a KiB of a prompt, ms. */
const READ_MS = [2, 4, 32, 64]
const KIB = [1, 24, 2, 40, 8, 1, 16, 4]
const ROUNDS = 3

interface Provider {
  node: NodeProcess
  server: ModelServerFixture
  readMs: number
  peerId: string
}

let user: NodeProcess
/** Requests so far: no two have the same beginning. */
let asked = 0
let providers: Provider[]

/** Begins to answer after a time that follows the prompt's length. */
async function startProvider(readMs: number): Promise<Provider> {
  const server = await startModelServer({
    models: [MODEL],
    async answer(request, response) {
      const { length } = await readBody(request)
      await pause((length / 1024) * readMs)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    },
  })
  const node = await startNodeProcess({
    flags: [...flagsToJoin(user), '--demo-model', 'off', ...llmFlags(server.port)],
  })
  return { node, server, readMs, peerId: node.peerId }
}

beforeAll(async () => {
  user = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  providers = await Promise.all(READ_MS.map(startProvider))
  await until(
    async () => {
      const { data } = (await (await fetch(`${user.gateway}/v1/models`)).json()) as {
        data: { id: string; ocf: { providers: number } }[]
      }
      return data.find(({ id }) => id === MODEL)?.ocf.providers === providers.length
    },
    { what: 'all providers are known', limitMs: 30_000 },
  )
})

afterAll(async () => {
  await Promise.all(providers.map(({ node }) => node.stop()))
  await user.stop()
  await Promise.all(providers.map(({ server }) => server.close()))
})

/** What the servers had to read with one policy, in ms: by who was chosen, not by the clock of this machine. */
async function readWith(
  prefer: (inFlight: ReadonlyMap<string, number>) => string | undefined,
  kib: readonly number[] = Array.from({ length: ROUNDS }, () => KIB).flat(),
): Promise<number> {
  const inFlight = new Map(providers.map(({ peerId }) => [peerId, 0]))
  let totalMs = 0
  const ask = async (size: number): Promise<void> => {
    const peerId = prefer(inFlight)
    if (peerId !== undefined) inFlight.set(peerId, (inFlight.get(peerId) ?? 0) + 1)
    const content = `${(asked += 1)} `.padEnd(size * 1024, 'word ')
    const headers = { 'content-type': 'application/json', ...(peerId === undefined ? {} : { 'x-ocf-prefer': peerId }) }
    const response = await chat(user.gateway, { model: MODEL, messages: [{ role: 'user', content }] }, { headers })
    await response.text()
    const server = providers.find((one) => one.peerId === response.headers.get('x-computing-node'))
    totalMs += size * (server?.readMs ?? Number.NaN)
    if (peerId !== undefined) inFlight.set(peerId, (inFlight.get(peerId) ?? 0) - 1)
  }
  // Two at a time, so that there is something in flight to go by.
  for (let at = 0; at < kib.length; at += 2) await Promise.all(kib.slice(at, at + 2).map(ask))
  return totalMs
}

describe('providers of which some read prompts thirty times as fast as others', () => {
  test('are chosen so that prompts are read in less time than by chance, or by the least in flight', async () => {
    const random = createRandom(7)
    const byChance = (): string | undefined => providers[Math.floor(random() * providers.length)]?.peerId
    const leastInFlight = (inFlight: ReadonlyMap<string, number>): string | undefined => {
      const least = Math.min(...inFlight.values())
      const free = [...inFlight].filter(([, count]) => count === least)
      return free[Math.floor(random() * free.length)]?.[0]
    }
    // Each has a connection, and was asked before: what the first request takes says little.
    for (const { peerId } of providers) for (let times = 0; times < 3; times += 1) await readWith(() => peerId, [1, 4])
    const ours = await readWith(() => undefined)
    expect(ours).toBeLessThan(0.6 * (await readWith(byChance)))
    expect(ours).toBeLessThan(0.6 * (await readWith(leastInFlight)))
  })

  test('are named in X-Ocf-Route in the order they were to be tried, with what was expected of each', async () => {
    const response = await chat(user.gateway, { model: MODEL })
    await response.text()
    const route = response.headers.get('x-ocf-route') ?? ''
    const first = (response.headers.get('x-computing-node') ?? '').slice(-6)
    expect(route.split(', ')).toHaveLength(providers.length)
    expect(route).toMatch(new RegExp(`^${first};ms=\\d+;read=\\d+;queue=\\d+;unread=\\d+, `))
  })
})
