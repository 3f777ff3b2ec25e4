import { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import { BoundedMap } from '../../../base/bounded-map.js'
import type { MonotonicClock } from '../../../base/clock.js'
import { fullBucket, refilled, type Bucket } from '../../../base/token-bucket.js'
import type { Ledger } from '../ledger/index.js'
import type { Asker } from './index.js'

/** Peers whose rate is remembered; the one that asked longest ago is forgotten, its bucket long full again. */
const MAX_PEERS = 4096

/** Which peers may ask, before any slot is looked for. */
export class EntryRules {
  /** Why no request may enter at present; undefined while sharing is not paused. */
  closed: AppError | undefined
  readonly #monotonic: MonotonicClock
  readonly #limits: () => Limits
  readonly #ledger: Pick<Ledger, 'givenToday'>
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_PEERS)

  constructor(needs: { monotonic: MonotonicClock; limits: () => Limits; ledger: Pick<Ledger, 'givenToday'> }) {
    this.#monotonic = needs.monotonic
    this.#limits = needs.limits
    this.#ledger = needs.ledger
  }

  /** Why this peer may not use the machine now; undefined when it may. Asking counts for nothing. */
  refusal({ peerId, usesModel }: Asker): AppError | undefined {
    const { allowedPeers, blockedPeers } = this.#limits()
    const isAllowed = allowedPeers.length === 0 || allowedPeers.includes(peerId)
    if (!isAllowed || blockedPeers.includes(peerId)) {
      return new AppError('peer_not_allowed', 'The owner of this node does not share with this peer.')
    }
    return this.closed ?? (usesModel ? this.#tokensUsedUp(peerId) : undefined)
  }

  /** Counts one request of this peer: why it comes too soon, or undefined. One minute's requests may come at once. */
  countRequest({ peerId }: Asker): AppError | undefined {
    const { requestsPerMinute } = this.#limits()
    if (requestsPerMinute === 0) return undefined
    const rate = { capacity: requestsPerMinute, refillPerS: requestsPerMinute / 60 }
    const nowMs = this.#monotonic.elapsedMs()
    const bucket = refilled(this.#buckets.peek(peerId) ?? fullBucket(rate, nowMs), rate, nowMs)
    const isEarly = bucket.tokens < 1
    this.#buckets.set(peerId, isEarly ? bucket : { ...bucket, tokens: bucket.tokens - 1 })
    if (!isEarly) return undefined
    return new AppError('rate_limited', `This peer may ask ${requestsPerMinute} times a minute. Try again later.`, {
      retryAfterS: Math.max(1, Math.ceil((1 - bucket.tokens) / rate.refillPerS)),
    })
  }

  /** Why this peer gets no more tokens today, or undefined. */
  #tokensUsedUp(peerId: string): AppError | undefined {
    const { tokensPerDay } = this.#limits()
    if (tokensPerDay === 0) return undefined
    const { tokens, endsInMs } = this.#ledger.givenToday(peerId)
    if (tokens < tokensPerDay) return undefined
    return new AppError('rate_limited', `This peer may use ${tokensPerDay} tokens a day. Try again tomorrow.`, {
      retryAfterS: Math.ceil(endsInMs / 1000),
    })
  }
}
