import { BoundedMap } from '../../base/bounded-map.js'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import type { DialAddress } from './dial-policy.js'
import { scopeOf, sourceOfHost } from './ip-scope.js'

/**
 * How a dial failed: `unanswered`, or `other-protocol`, where something took the connection that does not speak libp2p.
 */
export type DialFailure = 'unanswered' | 'other-protocol'

const S = 1000
const MINUTE = 60 * S
const HOUR = 60 * MINUTE
/** Pauses after the first, second, … failure; the last one repeats. A server that is overloaded cuts connections too. */
const OTHER_PROTOCOL_PAUSES_MS = [15 * S, 2 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR]
const UNANSWERED_PAUSES_MS = [0, 0, 0, 0, MINUTE, 10 * MINUTE, HOUR]
/** An address that has worked is most likely that of a machine which is off for now. */
const PROVEN_PAUSES_MS = [0, 0, 0, 0, MINUTE, 10 * MINUTE]

const MAX_FAILED = 5_000
const MAX_PROVEN = 5_000
const MAX_BUCKETS = 5_000
/** Addresses dialled of one peer that has never answered, and of one host: an office may have many nodes behind one. */
const PEER_RATE: BucketRate = { capacity: 30, refillPerS: 1 / 30 }
const HOST_RATE: BucketRate = { capacity: 30, refillPerS: 1 / 5 }

/** What dialling has taught about addresses. Of those that never worked less and less is tried. */
export class UnprovenAddresses {
  readonly #clock: MonotonicClock
  readonly #proven = new BoundedMap<string, true>(MAX_PROVEN)
  readonly #underWay = new Set<string>()
  readonly #failed = new BoundedMap<string, { times: number; untilMs: number }>(MAX_FAILED)
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_BUCKETS)

  constructor(clock: MonotonicClock = monotonicClock) {
    this.#clock = clock
  }

  /** True while an address is left alone because of what came of the last attempts. */
  isPaused(address: DialAddress): boolean {
    const failed = this.#failed.peek(endpointOf(address))
    return failed !== undefined && this.#clock.elapsedMs() < failed.untilMs
  }

  /**
   * Whether an attempt may begin now. Where it may, it counts as begun until {@link UnprovenAddresses.end}: meanwhile
   * none begins there. Proven addresses have no bounds.
   */
  begin(address: DialAddress): boolean {
    const endpoint = endpointOf(address)
    if (this.#proven.get(endpoint) === true) return true
    if (this.#underWay.has(endpoint) || !this.#takeAttempt(address)) return false
    this.#underWay.add(endpoint)
    return true
  }

  /** An attempt is over, whatever came of it. */
  end(address: DialAddress): void {
    this.#underWay.delete(endpointOf(address))
  }

  #takeAttempt({ host, peerId }: DialAddress): boolean {
    // Many nodes of one machine are a test, or somebody's laboratory.
    if (scopeOf(host) === 'loopback') return true
    const names: [string, BucketRate][] = [[`host ${sourceOfHost(host)}`, HOST_RATE]]
    if (peerId !== undefined) names.push([`peer ${peerId}`, PEER_RATE])
    const nowMs = this.#clock.elapsedMs()
    const buckets = names.map(([name, rate]) => {
      const bucket = refilled(this.#buckets.get(name) ?? fullBucket(rate, nowMs), rate, nowMs)
      return { name, bucket }
    })
    if (buckets.some(({ bucket }) => bucket.tokens < 1)) return false
    for (const { name, bucket } of buckets) this.#buckets.set(name, { ...bucket, tokens: bucket.tokens - 1 })
    return true
  }

  /** A peer answered there, whoever it was that was wanted. */
  answered(address: DialAddress): void {
    const endpoint = endpointOf(address)
    this.#failed.delete(endpoint)
    this.#proven.set(endpoint, true)
  }

  /** Nobody, or something else, answered there. */
  failed(address: DialAddress, failure: DialFailure): void {
    const endpoint = endpointOf(address)
    const times = (this.#failed.peek(endpoint)?.times ?? 0) + 1
    const pauses = this.#proven.has(endpoint)
      ? PROVEN_PAUSES_MS
      : failure === 'other-protocol'
        ? OTHER_PROTOCOL_PAUSES_MS
        : UNANSWERED_PAUSES_MS
    const pauseMs = pauses[Math.min(times, pauses.length) - 1] ?? 0
    this.#failed.set(endpoint, { times, untilMs: this.#clock.elapsedMs() + pauseMs })
  }
}

/** Port and host, whichever of TCP and WebSocket is said to be spoken there, and whoever is said to speak it. */
function endpointOf({ host, port, transport }: DialAddress): string {
  return `${transport === 'quic' ? 'udp' : 'tcp'} ${host} ${port}`
}
