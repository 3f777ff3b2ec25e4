import { mock } from 'node:test'
import { MAX_ATTEMPTS } from '../../../src-main/gateway/routing/choose-providers.js'
import { percentile } from '../statistics.ts'
import type { Policy, PolicyFactory } from './policies.ts'
import { createProvider, type SimProvider } from './provider.ts'
import { createRandom } from './random.ts'
import type { Scenario } from './scenarios.ts'
import { createSimulation, type Simulation } from './simulation.ts'
import { workloadOf, type SimRequest } from './workload.ts'

/** What clients of one policy saw in one scenario. */
export interface Outcome {
  requests: number
  /** Time to first token of those that were answered, ms. */
  p50: number
  p95: number
  p99: number
  /** Requests that no try answered, or whose answer broke off. */
  errors: number
  /** Tries beyond the first. */
  retries: number
  /** Of these, those because the first was late. */
  seconds: number
}

/** What came of the requests of a run, or of several. */
export interface Tally {
  ttftMs: number[]
  /** From its arrival to the end of its answer. */
  endToEndMs: number[]
  /** Times to first token by conversation. */
  byConversation: Map<string, number[]>
  requests: number
  errors: number
  retries: number
  /** Second attempts because the first was late; they count among the retries. */
  seconds: number
  /** Tokens of prompts that providers had to read, and those they knew already. */
  readTokens: number
  knownTokens: number
}

/** Nothing yet. */
export const emptyTally = (): Tally => ({
  ...{ ttftMs: [], endToEndMs: [], byConversation: new Map() },
  ...{ requests: 0, errors: 0, retries: 0, seconds: 0, readTokens: 0, knownTokens: 0 },
})

/** Who is there, and what happens to them. */
export type Network = Pick<Scenario, 'gateways' | 'providers' | 'durationMs' | 'events'>

/** Requests may still end after the last one came. */
const TAIL_MS = 120_000
const TICK_MS = 50

export async function runScenario(scenario: Scenario, policy: PolicyFactory, seeds: number[]): Promise<Outcome> {
  const tally = emptyTally()
  for (const seed of seeds) await runOnce(scenario, workloadOf(scenario, seed), { policy, seed, tally })
  const { ttftMs, requests, errors, retries, seconds } = tally
  return {
    ...{ requests, errors, retries, seconds },
    ...{ p50: percentile(ttftMs, 50), p95: percentile(ttftMs, 95), p99: percentile(ttftMs, 99) },
  }
}

/** Lets these requests come to gateways that choose by one policy, and adds what their clients saw to the tally. */
export async function runOnce(
  network: Network,
  requests: readonly SimRequest[],
  { policy, seed, tally }: { policy: PolicyFactory; seed: number; tally: Tally },
): Promise<void> {
  // Intervals and time-outs of the code under test turn with the simulation's clock.
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  try {
    const sim = createSimulation()
    const providers = new Map<string, SimProvider>(
      network.providers.map((spec, index) => [`peer-${index}`, createProvider(sim, `peer-${index}`, spec)]),
    )
    const random = createRandom(seed * 7919 + 1)
    const gateways = Array.from({ length: network.gateways }, () => policy({ sim, providers, random }))
    const end = network.durationMs + TAIL_MS
    for (let atMs = TICK_MS; atMs <= end; atMs += TICK_MS) sim.after(atMs, () => mock.timers.tick(TICK_MS))
    for (const request of requests) {
      sim.after(request.atMs, () => void serve(sim, gateways[request.gateway] as Policy, providers, request, tally))
    }
    for (const { atMs, provider, what } of network.events ?? []) {
      sim.after(atMs, () => happen(providers.get(`peer-${provider}`) as SimProvider, what, gateways))
    }
    await sim.run(end)
    for (const { read } of providers.values()) {
      tally.readTokens += read.tokens
      tally.knownTokens += read.known
    }
  } finally {
    mock.timers.reset()
  }
}

function happen(
  provider: SimProvider,
  what: NonNullable<Scenario['events']>[number]['what'],
  gateways: readonly Policy[],
): void {
  if (what === 'return') provider.comeBack()
  else if (what === 'vanish') provider.goAway(true)
  else if (what === 'crash') {
    provider.goAway(false)
    for (const gateway of gateways) gateway.disconnected(provider.id)
  } else provider.slowDown(what.slower)
}

/** As the forwarder does: the next one while nothing reached the client, and a second one where the first is late. */
async function serve(
  sim: Simulation,
  policy: Policy,
  providers: ReadonlyMap<string, SimProvider>,
  request: SimRequest,
  tally: Tally,
): Promise<void> {
  tally.requests += 1
  const order = await policy.choose(request)
  new Served({ sim, policy, providers, tally }, request, order).askNext()
}

/** One attempt under way. */
interface Running {
  leave(): void
}

interface ServedNeeds {
  sim: Simulation
  policy: Policy
  providers: ReadonlyMap<string, SimProvider>
  tally: Tally
}

/** One request at its providers. */
class Served {
  readonly #needs: ServedNeeds
  readonly #request: SimRequest
  readonly #asked = new Set<string>()
  readonly #running = new Set<Running>()
  #order: string[]
  #isAnswered = false

  constructor(needs: ServedNeeds, request: SimRequest, order: string[]) {
    this.#needs = needs
    this.#request = request
    this.#order = order
  }

  askNext(): void {
    this.#chooseAgain()
    const peerId = this.#order.find((one) => !this.#asked.has(one))
    if (peerId !== undefined) {
      this.#ask(peerId)
      return
    }
    if (this.#running.size === 0) this.#needs.tally.errors += 1
  }

  /** What was known when it was first sent is old by now. */
  #chooseAgain(): void {
    const { policy } = this.#needs
    if (this.#asked.size === 0 || policy.chooseAgain === undefined) return
    const next = policy.chooseAgain(this.#request, this.#asked)
    this.#order = next.slice(0, Math.max(0, MAX_ATTEMPTS - this.#asked.size))
  }

  #ask(peerId: string): void {
    const { sim, policy, providers, tally } = this.#needs
    const provider = providers.get(peerId) as SimProvider
    const request = this.#request
    if (this.#asked.size === 0) this.#watch(peerId)
    else tally.retries += 1
    this.#asked.add(peerId)
    const report = policy.begin(peerId, request)
    const startedAt = sim.now()
    let hasBegun = false
    let isLeft = false
    const running: Running = {
      leave() {
        isLeft = true
        stop()
        report.end('left')
      },
    }
    const over = (how: 'refused' | 'lost'): void => {
      this.#running.delete(running)
      report.end(how)
      if (hasBegun) tally.errors += 1
      else if (!this.#isAnswered) this.askNext()
    }
    this.#running.add(running)
    const stop = provider.send(request, {
      firstByte: () => {
        if (isLeft) return
        hasBegun = true
        this.#isAnswered = true
        for (const other of this.#running) if (other !== running) other.leave()
        count(tally, request, sim.now() - request.atMs)
        report.firstByte(sim.now() - startedAt)
      },
      done: () => {
        if (isLeft) return
        tally.endToEndMs.push(sim.now() - request.atMs)
        report.end('answered')
        policy.answered(request, peerId)
      },
      refused: () => {
        if (!isLeft) over('refused')
      },
      lost: () => {
        if (!isLeft) over('lost')
      },
    })
  }

  #watch(first: string): void {
    const { sim, policy, tally } = this.#needs
    const { hedge } = policy
    const lateMs = hedge?.lateAfterMs(first, this.#request)
    if (hedge === undefined || lateMs === undefined) return
    sim.after(lateMs, () => {
      if (this.#isAnswered || this.#asked.size > 1) return
      this.#chooseAgain()
      const second = this.#order.find(
        (peerId) => !this.#asked.has(peerId) && hedge.takes(peerId, this.#request, lateMs),
      )
      if (second === undefined) return
      tally.seconds += 1
      this.#ask(second)
    })
  }
}

function count(tally: Tally, { conversation }: SimRequest, ttftMs: number): void {
  tally.ttftMs.push(ttftMs)
  const known = tally.byConversation.get(conversation) ?? []
  known.push(ttftMs)
  tally.byConversation.set(conversation, known)
}
