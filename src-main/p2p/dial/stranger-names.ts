import { lookup } from 'node:dns/promises'
import { BoundedMap } from '../../base/bounded-map.js'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'

/** The IP addresses of a host name; rejects where there are none. */
export type ResolveName = (name: string) => Promise<string[]>

const SYSTEM: ResolveName = async (name) => (await lookup(name, { all: true })).map(({ address }) => address)

/** Look-ups of names that one peer announces, and that all do: each asks a server of the stranger's choice. */
const PEER_RATE: BucketRate = { capacity: 3, refillPerS: 1 / 600 }
const ALL_RATE: BucketRate = { capacity: 30, refillPerS: 1 / 10 }
const REMEMBER_MS = 5 * 60_000
const MAX_NAMES = 500
const MAX_PEERS = 1_000
/** Addresses of one name that are looked at. */
const MAX_ADDRESSES = 8

/** Looks up host names that strangers announce: few of them, and each not again for five minutes. */
export class StrangerNames {
  readonly #resolve: ResolveName
  readonly #clock: MonotonicClock
  readonly #known = new BoundedMap<string, { atMs: number; addresses: Promise<string[]> }>(MAX_NAMES)
  readonly #peers = new BoundedMap<string, Bucket>(MAX_PEERS)
  #all: Bucket

  constructor(resolve: ResolveName = SYSTEM, clock: MonotonicClock = monotonicClock) {
    this.#resolve = resolve
    this.#clock = clock
    this.#all = fullBucket(ALL_RATE, clock.elapsedMs())
  }

  /** The IP addresses of `name`, which `peerId` announced; none where it has none, or too many were asked for. Never rejects. */
  async addressesOf(name: string, peerId: string): Promise<string[]> {
    const nowMs = this.#clock.elapsedMs()
    const key = name.toLowerCase()
    const known = this.#known.get(key)
    if (known !== undefined && nowMs - known.atMs < REMEMBER_MS) return await known.addresses
    const peer = refilled(this.#peers.get(peerId) ?? fullBucket(PEER_RATE, nowMs), PEER_RATE, nowMs)
    this.#all = refilled(this.#all, ALL_RATE, nowMs)
    if (peer.tokens < 1 || this.#all.tokens < 1) return []
    this.#peers.set(peerId, { ...peer, tokens: peer.tokens - 1 })
    this.#all = { ...this.#all, tokens: this.#all.tokens - 1 }
    const addresses = this.#resolve(key).then(
      (found) => found.slice(0, MAX_ADDRESSES),
      () => [],
    )
    this.#known.set(key, { atMs: nowMs, addresses })
    return await addresses
  }
}
