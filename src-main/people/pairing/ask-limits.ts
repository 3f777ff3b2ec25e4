import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'

/** Requests from one source: five a minute. */
const SOURCE_RATE: BucketRate = { capacity: 5, refillPerS: 5 / 60 }
/** Requests from all of them: addresses and peer ids cost an attacker nothing, a person's attention is what they use up. */
const ALL_RATE: BucketRate = { capacity: 10, refillPerS: 10 / 600 }
/** Refused or left unanswered so often, it is quiet for a while. */
const MAX_REFUSALS = 2
const QUIET_MS = 10 * 60_000
const MAX_REMEMBERED = 1_000

/** Keeps requests to pair from being a nuisance. A peer is judged by its id and by where it comes from. */
export class AskLimits {
  readonly #clock: MonotonicClock
  readonly #sources = new BoundedMap<string, Bucket>(MAX_REMEMBERED)
  readonly #refusals = new BoundedMap<string, { count: number; atMs: number }>(MAX_REMEMBERED)
  #all: Bucket

  constructor(clock: MonotonicClock) {
    this.#clock = clock
    this.#all = fullBucket(ALL_RATE, clock.elapsedMs())
  }

  /** Whether the person may be asked; one that may counts as a request. */
  take(peerId: string, source: string): boolean {
    if (keysOf(peerId, source).some((key) => this.#isQuiet(key))) return false
    const nowMs = this.#clock.elapsedMs()
    const own = refilled(this.#sources.get(source) ?? fullBucket(SOURCE_RATE, nowMs), SOURCE_RATE, nowMs)
    this.#all = refilled(this.#all, ALL_RATE, nowMs)
    if (own.tokens < 1 || this.#all.tokens < 1) return false
    this.#sources.set(source, { ...own, tokens: own.tokens - 1 })
    this.#all = { ...this.#all, tokens: this.#all.tokens - 1 }
    return true
  }

  /** The person refused, or left a request unanswered. */
  refused(peerId: string, source: string): void {
    const nowMs = this.#clock.elapsedMs()
    for (const key of keysOf(peerId, source)) {
      const before = this.#lately(key)
      this.#refusals.set(key, { count: (before?.count ?? 0) + 1, atMs: nowMs })
    }
  }

  /** The person paired with it, or asks it: what was before does not count. */
  forgive(peerId: string, source: string): void {
    for (const key of keysOf(peerId, source)) this.#refusals.delete(key)
  }

  #isQuiet(key: string): boolean {
    return (this.#lately(key)?.count ?? 0) >= MAX_REFUSALS
  }

  #lately(key: string): { count: number; atMs: number } | undefined {
    const refusals = this.#refusals.get(key)
    return refusals !== undefined && this.#clock.elapsedMs() - refusals.atMs < QUIET_MS ? refusals : undefined
  }
}

const keysOf = (peerId: string, source: string): string[] => [`peer ${peerId}`, `source ${source}`]
