import { crowding, queueingMs } from '../../../../src-main/gateway/routing/estimate/estimate.js'
import { Pace } from '../../../../src-main/gateway/routing/estimate/pace.js'
import { createOwnPolicy } from '../own-policy.ts'
import { FIXED_ORDER, type PolicyFactory, POLICIES, shuffled } from '../policies.ts'
import type { SimProvider } from '../provider.ts'
import { sampled } from '../sampled/policy.ts'
import type { SimRequest } from '../workload.ts'
import { BlockCache } from './block-cache.ts'
import { BLOCK_TOKENS } from './trace-file.ts'

/** Blocks that a provider keeps, and is thought to keep of what one gateway sent it. */
export const CACHE_BLOCKS = 400

const MAX_ATTEMPTS = 4
const ALPHA = 0.3
const UNKNOWN_HOLD_MS = 5_000

/** What a rival knows of one provider: its own requests there, nothing of what others sent. */
interface Known {
  readonly peerId: string
  readonly provider: SimProvider
  readonly sent: BlockCache
  readonly pace: Pace
  inFlight: number
  /** Of these, those that are still on their way. */
  onTheWay: number
  /** Smoothed, ms: time to first token, and how long a request has a slot. */
  ttftMs: number | undefined
  holdMs: number | undefined
}

/** The order in which a rival would ask these, best first. */
type Rank = (known: readonly Known[], request: SimRequest, random: () => number) => Known[]

/** Tokens of a prompt that this provider would have to read, as far as its gateway knows. */
const unreadOf = (known: Known, request: SimRequest): number =>
  Math.max(1, request.contextTokens - known.sent.match(request.blocks ?? []) * BLOCK_TOKENS)

const smoothed = (before: number | undefined, fresh: number): number =>
  before === undefined ? fresh : before + ALPHA * (fresh - before)

/** How busy it is at this very moment, which no real gateway knows, and with what else is on its way from this one. */
function loadOf({ provider, onTheWay, holdMs = UNKNOWN_HOLD_MS }: Known): Parameters<typeof queueingMs>[0] {
  const status = provider.status()
  const othersQueued = status === undefined ? Number.POSITIVE_INFINITY : status.queueLength
  return { inFlight: onTheWay, othersQueued, slots: status?.slotsTotal ?? 1, holdMs }
}

/** A policy that keeps the usual facts of each provider and orders them its own way; quarantine is as ours has it. */
function ranked(createRank: () => Rank): PolicyFactory {
  return (needs) => {
    const own = createOwnPolicy(needs)
    const rank = createRank()
    const known = new Map<string, Known>()
    for (const [peerId, provider] of needs.providers) {
      const facts = {
        sent: new BlockCache(CACHE_BLOCKS),
        pace: new Pace(provider.rttMs),
        ttftMs: undefined,
        holdMs: undefined,
      }
      known.set(peerId, { peerId, provider, inFlight: 0, onTheWay: 0, ...facts })
    }
    return {
      ...own,
      ...FIXED_ORDER,
      choose(request) {
        const routable = own.routable().flatMap((peerId) => known.get(peerId) ?? [])
        const order = rank(routable, request, needs.random)
        return Promise.resolve(order.slice(0, MAX_ATTEMPTS).map(({ peerId }) => peerId))
      },
      begin(peerId, request) {
        const report = own.begin(peerId, request)
        const at = known.get(peerId)
        return at === undefined ? report : follow(at, request, { sim: needs.sim, report })
      },
    }
  }
}

type Report = ReturnType<ReturnType<PolicyFactory>['begin']>

/** Learns of one request at a provider. */
function follow(
  at: Known,
  request: SimRequest,
  { sim, report }: { sim: Parameters<PolicyFactory>[0]['sim']; report: Report },
): Report {
  const { rttMs } = at.provider
  const tokens = unreadOf(at, request)
  const load = loadOf(at)
  const waitMs = queueingMs(load)
  let answeredAtMs: number | undefined
  let tookMs = 0
  at.inFlight += 1
  at.onTheWay += 1
  sim.after(rttMs / 2, () => void (at.onTheWay -= 1))
  return {
    firstByte(ttfbMs) {
      answeredAtMs = sim.now()
      at.sent.take(request.blocks ?? [])
      at.ttftMs = smoothed(at.ttftMs, ttfbMs)
      tookMs = Math.max(1, ttfbMs - waitMs)
      const readMs = Math.max(1, tookMs - rttMs) / crowding(load)
      at.pace.measured(tokens, rttMs + readMs, { nowMs: sim.now(), trust: waitMs > 0 ? 0.3 : 1 })
      report.firstByte(ttfbMs)
    },
    end(how) {
      at.inFlight -= 1
      if (answeredAtMs !== undefined) at.holdMs = smoothed(at.holdMs, tookMs + sim.now() - answeredAtMs)
      report.end(how)
    },
  }
}

function by(known: readonly Known[], random: () => number, cost: (one: Known) => number): Known[] {
  const costs = new Map(known.map((one) => [one, cost(one)]))
  return shuffled(known, random).sort((a, b) => (costs.get(a) ?? 0) - (costs.get(b) ?? 0))
}

const sessionAffinity = (): Rank => {
  const homes = new Map<string, string>()
  return (known, request, random) => {
    const order = by(known, random, ({ inFlight }) => inFlight)
    const home = known.find(({ peerId }) => peerId === homes.get(request.conversation)) ?? order[0]
    if (home === undefined) return order
    homes.set(request.conversation, home.peerId)
    return [home, ...order.filter((one) => one !== home)]
  }
}

/** How many times the mean of requests in flight, and one, a provider with a known prefix may have. */
const LOAD_BOUND = 1.25
const LAST = 1e12

const prefixAffinity: Rank = (known, request, random) => {
  const mean = known.reduce((sum, { inFlight }) => sum + inFlight, 0) / Math.max(1, known.length)
  const isFull = ({ inFlight }: Known): boolean => inFlight > LOAD_BOUND * mean + 1
  return by(known, random, (one) => (isFull(one) ? LAST : 0) + unreadOf(one, request) * 1_000 + one.inFlight)
}

const shortestWait: Rank = (known, _request, random) =>
  by(known, random, ({ ttftMs, inFlight }) => (ttftMs ?? 0) * (1 + inFlight))

/** The best of all by fixed part, unread tokens and the queue, which it is told at the very moment it chooses. */
const reference: Rank = (known, request, random) =>
  by(known, random, (one) => {
    const load = loadOf(one)
    const { rttMs } = one.provider
    return rttMs + (one.pace.readMs(unreadOf(one, request)) - rttMs) * crowding(load) + queueingMs(load)
  })

/** All that a trace is replayed with. */
export const TRACE_POLICIES: Readonly<Record<string, PolicyFactory>> = {
  ...POLICIES,
  'd = 2': sampled(2),
  'session affinity': ranked(sessionAffinity),
  'prefix affinity': ranked(() => prefixAffinity),
  'shortest wait': ranked(() => shortestWait),
  reference: ranked(() => reference),
}
