import type { Connection } from '@libp2p/interface'
import { BoundedMap } from '../../../base/bounded-map.js'
import { monotonicClock, type MonotonicClock } from '../../../base/clock.js'
import { fullBucket, refilled, type Bucket, type BucketRate } from '../../../base/token-bucket.js'
import { sourceOf } from '../../dial/ip-scope.js'

/** Peers and sources whose buckets are remembered; the one not heard of for longest has a full one again. */
const MAX_REMEMBERED = 8192

/** Identities cost nothing: all of one source together may spend so many times what one peer may. */
const PEERS_OF_A_SOURCE = 8

/** What a peer may spend over time, and all peers of one source together. */
export class PeerBudget {
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_REMEMBERED)
  readonly #rate: BucketRate
  readonly #sourceRate: BucketRate
  readonly #clock: MonotonicClock

  /** `rate`: of one peer. `peersOfSource`: how many such peers one source may be. */
  constructor(rate: BucketRate, options: { peersOfSource?: number; clock?: MonotonicClock } = {}) {
    const { peersOfSource = PEERS_OF_A_SOURCE, clock = monotonicClock } = options
    this.#rate = rate
    this.#sourceRate = { capacity: rate.capacity * peersOfSource, refillPerS: rate.refillPerS * peersOfSource }
    this.#clock = clock
  }

  /** Whose budget does not cover `cost`; undefined when it is paid. */
  spend({ remotePeer, remoteAddr }: Connection, cost = 1): 'peer' | 'source' | undefined {
    if (!this.#take(remotePeer.toString(), this.#rate, cost)) return 'peer'
    return this.#take(`source ${sourceOf(remoteAddr.toString())}`, this.#sourceRate, cost) ? undefined : 'source'
  }

  #take(key: string, rate: BucketRate, cost: number): boolean {
    const now = this.#clock.elapsedMs()
    const bucket = refilled(this.#buckets.peek(key) ?? fullBucket(rate, now), rate, now)
    const isEnough = bucket.tokens >= cost
    this.#buckets.set(key, isEnough ? { ...bucket, tokens: bucket.tokens - cost } : bucket)
    return isEnough
  }
}
