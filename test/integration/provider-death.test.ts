import { afterEach, expect, test } from 'vitest'
import { inLongRun } from '../fixtures/long-run.js'
import { startActingServer } from '../fixtures/model-servers/acting-server.js'
import { llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { startSteadyRequests, type SteadyRequest, type SteadyRequests } from '../fixtures/steady-requests.js'
import { until } from '../fixtures/until.js'

const MODEL = 'shared'
/** Generous: the machine is busy with other tests. */
const KILLED_WITHIN_MS = 6_000
/** What the network promises for requests that wait for a peer that fell silent. */
const SILENT_WITHIN_MS = 15_000

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const TRANSPORTS = {
  tcp: (address: string) => address.includes('/tcp/') && !address.includes('/ws'),
  ws: (address: string) => address.includes('/ws'),
  quic: (address: string) => address.includes('/quic-v1'),
}

type Transport = keyof typeof TRANSPORTS
/** Every transport in the long run, this one in a check. */
const inCheck = (transport: Transport) => inLongRun<readonly Transport[]>(['tcp', 'ws', 'quic'], [transport])

async function startProvider() {
  const server = await startActingServer([MODEL])
  cleanups.push(() => server.close())
  const node = await startNodeProcess({ flags: ['--demo-model', 'off', ...llmFlags(server.port)] })
  cleanups.push(() => node.stop())
  return { node, server }
}

async function providersOf({ gateway }: NodeProcess): Promise<number> {
  const response = await fetch(`${gateway}/v1/models`)
  const { data } = (await response.json()) as { data: { id: string; ocf: { providers: number } }[] }
  return data.find(({ id }) => id === MODEL)?.ocf.providers ?? 0
}

/** Two providers of a model, and a user of both over that transport. */
async function startThree(transport: Transport) {
  const providers = await Promise.all([startProvider(), startProvider()])
  const addresses = providers.map(({ node }) => node.multiaddrs.find(TRANSPORTS[transport])!)
  const user = await startNodeProcess({
    flags: ['--demo-model', 'off', ...addresses.flatMap((address) => ['--bootstrap.addr', address])],
  })
  cleanups.push(() => user.stop())
  await until(async () => (await providersOf(user)) === 2, { what: 'both providers are known', limitMs: 30_000 })
  return { providers, user }
}

/** The same with requests on the way; `dying` is the one that answers most of its requests. */
async function underLoad(transport: Transport) {
  const { providers, user } = await startThree(transport)
  const requests = startSteadyRequests(user.gateway, MODEL)
  await until(() => requests.ended.length >= 40, { what: 'requests are answered', limitMs: 30_000 })
  const [dying] = providers.toSorted(
    (a, b) => answeredBy(requests, b.node.peerId) - answeredBy(requests, a.node.peerId),
  )
  return { dying: dying!.node, user, requests }
}

const answeredBy = ({ ended }: SteadyRequests, peerId: string): number => ended.filter(({ by }) => by === peerId).length

/** A second of requests that began no earlier than this. */
async function aSecondFrom(requests: SteadyRequests, ms: number): Promise<void> {
  await until(() => requests.ended.filter(({ startedMs }) => startedMs >= ms).length >= 20, {
    what: 'further requests are answered',
    limitMs: 30_000,
  })
}

function report(what: string, all: readonly SteadyRequest[]): void {
  process.stdout.write(`${what}: the slowest of ${all.length} requests took ${Math.round(all[0]!.tookMs)} ms\n`)
}

const began = (all: readonly SteadyRequest[], afterMs: number): SteadyRequest[] =>
  all.filter(({ startedMs }) => startedMs >= afterMs)

const now = ({ ended }: SteadyRequests): number => Math.max(...ended.map(({ startedMs }) => startedMs))

test.each(inCheck('tcp'))(
  'no request fails and none waits when one of two providers is killed under load over %s',
  async (transport) => {
    const { dying, requests } = await underLoad(transport)
    const killedMs = now(requests)
    await dying.kill()
    await aSecondFrom(requests, killedMs + 500)
    const all = began(await requests.stop(), killedMs - 500)
    report(`kill -9 over ${transport}`, all)
    expect(all.filter(({ status }) => status !== 200)).toEqual([])
    expect(all[0]!.tookMs).toBeLessThan(KILLED_WITHIN_MS)
  },
)

test.each(inCheck('quic'))(
  'what waits for an answer of a provider that is killed is at the other one at once over %s',
  async (transport) => {
    const { providers, user } = await startThree(transport)
    const marks = Array.from({ length: 3 }, (_, mark) => mark)
    const answers = marks.map((mark) =>
      fetch(`${user.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: MODEL, mark, act: 'hold', messages: [{ role: 'user', content: `${mark}` }] }),
      }),
    )
    const held = (): number => providers.reduce((sum, { server }) => sum + server.held(), 0)
    await until(() => held() >= marks.length, { what: 'all are held', limitMs: 30_000 })
    const [dying, other] = providers.toSorted((a, b) => b.server.held() - a.server.held())
    const moving = dying!.server.seen.map(({ mark }) => mark)
    const killedMs = performance.now()
    await dying!.node.kill()
    const moved = () => other!.server.seen.filter(({ mark, atMs }) => moving.includes(mark) && atMs > killedMs)
    await until(() => moved().length >= moving.length, { what: 'all of them are at the other', limitMs: 30_000 })
    const tookMs = moved().map(({ atMs }) => Math.round(atMs - killedMs))
    process.stdout.write(`kill -9 over ${transport}: ${moving.length} requests moved after ${tookMs.join(', ')} ms\n`)
    expect(moving.length).toBeGreaterThan(0)
    expect(Math.max(...tookMs)).toBeLessThan(KILLED_WITHIN_MS)
    other!.server.release()
    for (const answer of answers) expect((await answer).status).toBe(200)
  },
)

test('no request fails when one of two providers stops without a word, and later ones do not go there', async () => {
  const { dying, user, requests } = await underLoad('tcp')
  process.kill(dying.pid, 'SIGSTOP')
  const stoppedMs = now(requests)
  try {
    await until(async () => (await providersOf(user)) === 1, {
      what: 'the silent provider is in the list no more',
      limitMs: 20_000,
    })
    const goneMs = now(requests)
    await aSecondFrom(requests, goneMs)
    const all = began(await requests.stop(), stoppedMs - 500)
    report('SIGSTOP', all)
    expect(all.filter(({ status }) => status !== 200)).toEqual([])
    expect(all[0]!.tookMs).toBeLessThan(SILENT_WITHIN_MS)
    // Those that began before anything could be noticed wait; all later ones go to the other.
    const late = all.filter(({ startedMs }) => startedMs > stoppedMs + KILLED_WITHIN_MS)
    expect(late[0]!.tookMs).toBeLessThan(KILLED_WITHIN_MS)
  } finally {
    process.kill(dying.pid, 'SIGCONT')
  }
})
