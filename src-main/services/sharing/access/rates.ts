import { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import { BoundedMap } from '../../../base/bounded-map.js'
import type { MonotonicClock } from '../../../base/clock.js'
import { fullBucket, refilled, type Bucket } from '../../../base/token-bucket.js'
import type { Rank } from './ranks.js'

/** Peers, and sources, that are remembered; the one that asked longest ago is forgotten, its bucket long full again. */
const MAX_BUCKETS = 4096

type Unit = 'requests' | 'tokens'

/** Whom a limit holds, and what it is at present. */
interface Scope {
  /** Begins the sentence of a refusal. */
  who: string
  keyOf: (rank: Rank) => string
  /** Peers the owner trusts are not counted. */
  strangersOnly: boolean
  /** In a minute; 0 is without limit. */
  most: (limits: Limits, unit: Unit) => number
}

const STRANGERS: Scope = {
  who: 'Peers that the owner of this node does not know',
  keyOf: () => '',
  strangersOnly: true,
  most: (limits, unit) => (unit === 'requests' ? limits.strangersRequestsPerMinute : limits.strangersTokensPerMinute),
}

/** The narrow ones first: a request that one of them refuses counts for none. */
const SCOPES: readonly Scope[] = [
  {
    who: 'This peer',
    keyOf: ({ peerId }) => peerId,
    strangersOnly: false,
    most: (limits, unit) => (unit === 'requests' ? limits.requestsPerMinute : limits.tokensPerMinute),
  },
  {
    who: 'The network or relay that this peer comes from',
    keyOf: ({ source }) => source,
    strangersOnly: true,
    most(limits, unit) {
      const most = unit === 'requests' ? limits.sourceRequestsPerMinute : limits.sourceTokensPerMinute
      // What all strangers share must not be used up by one source.
      const half = Math.ceil(STRANGERS.most(limits, unit) / 2)
      return most === 0 || half === 0 ? Math.max(most, half) : Math.min(most, half)
    },
  },
  STRANGERS,
]

/** What peers, sources and all strangers may ask, and use, in a minute; one minute's share may come at once. */
export class Rates {
  readonly #monotonic: MonotonicClock
  readonly #limits: () => Limits
  readonly #meters = {
    requests: SCOPES.map((scope) => new Meter(scope, 'requests')),
    tokens: SCOPES.map((scope) => new Meter(scope, 'tokens')),
  }

  constructor(needs: { monotonic: MonotonicClock; limits: () => Limits }) {
    this.#monotonic = needs.monotonic
    this.#limits = needs.limits
  }

  /** Counts one request: why it comes too soon, or undefined. */
  countRequest(rank: Rank): AppError | undefined {
    const refusal = this.#refusal('requests', rank)
    if (refusal === undefined) this.#take('requests', rank, 1)
    return refusal
  }

  /** Why this peer gets no tokens now, or undefined. */
  tokensRefusal(rank: Rank): AppError | undefined {
    return this.#refusal('tokens', rank)
  }

  /** Counts tokens that were given: more than were left make the next request wait for longer. */
  takeTokens(rank: Rank, tokens: number): void {
    this.#take('tokens', rank, tokens)
  }

  #refusal(unit: Unit, rank: Rank): AppError | undefined {
    for (const meter of this.#meters[unit]) {
      const refusal = meter.refusal(rank, this.#limits(), this.#monotonic.elapsedMs())
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  #take(unit: Unit, rank: Rank, amount: number): void {
    for (const meter of this.#meters[unit]) meter.take(rank, amount, this.#limits(), this.#monotonic.elapsedMs())
  }
}

/** One limit: what is left of it to each that it holds. */
class Meter {
  readonly #scope: Scope
  readonly #unit: Unit
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_BUCKETS)

  constructor(scope: Scope, unit: Unit) {
    this.#scope = scope
    this.#unit = unit
  }

  refusal(rank: Rank, limits: Limits, nowMs: number): AppError | undefined {
    const most = this.#mostFor(rank, limits)
    if (most === 0) return undefined
    const { tokens } = this.#bucketOf(rank, most, nowMs)
    if (tokens >= 1) return undefined
    const how = this.#unit === 'requests' ? `ask ${most} times a minute` : `use ${most} tokens a minute`
    return new AppError('rate_limited', `${this.#scope.who} may ${how}. Try again later.`, {
      retryAfterS: Math.max(1, Math.ceil(((1 - tokens) * 60) / most)),
    })
  }

  take(rank: Rank, amount: number, limits: Limits, nowMs: number): void {
    const most = this.#mostFor(rank, limits)
    if (most === 0) return
    const bucket = this.#bucketOf(rank, most, nowMs)
    this.#buckets.set(this.#scope.keyOf(rank), { ...bucket, tokens: bucket.tokens - amount })
  }

  #mostFor(rank: Rank, limits: Limits): number {
    return rank.isTrusted && this.#scope.strangersOnly ? 0 : this.#scope.most(limits, this.#unit)
  }

  #bucketOf(rank: Rank, most: number, nowMs: number): Bucket {
    const rate = { capacity: most, refillPerS: most / 60 }
    return refilled(this.#buckets.peek(this.#scope.keyOf(rank)) ?? fullBucket(rate, nowMs), rate, nowMs)
  }
}
