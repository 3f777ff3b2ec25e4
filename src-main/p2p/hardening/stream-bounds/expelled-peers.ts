import type { Connection, ConnectionGater, PeerId } from '@libp2p/interface'
import { BoundedMap } from '../../../base/bounded-map.js'
import { monotonicClock, type MonotonicClock } from '../../../base/clock.js'
import { fullBucket, refilled, type Bucket, type BucketRate } from '../../../base/token-bucket.js'
import { atMostEvery, type Log } from '../../../logging/index.js'

/** How long (ms) a peer that was disconnected for what it sent is refused. */
const REFUSED_FOR_MS = 10 * 60_000

/** Offences that are overlooked: an older version or a busy network makes a few. They are forgotten one in 20 s. */
const OVERLOOKED: BucketRate = { capacity: 32, refillPerS: 0.05 }

/** Peers that are remembered, of each kind; the one that offended the longest ago is forgotten. */
const MAX_REMEMBERED = 4096

const WARN_EVERY_MS = 60_000

/** Peers that sent what no honest one sends: their connections are closed, and they are refused for a while. */
export class ExpelledPeers {
  /** For libp2p's connection gater: these are neither let in nor dialled. */
  readonly gater: Pick<ConnectionGater, 'denyDialPeer' | 'denyInboundEncryptedConnection'>
  readonly #refusedUntilMs = new BoundedMap<string, number>(MAX_REMEMBERED)
  readonly #offences = new BoundedMap<string, Bucket>(MAX_REMEMBERED)
  readonly #clock: MonotonicClock
  readonly #warn: (fields: { peerId: string; what: string }) => void

  constructor(needs: { log: Log; clock?: MonotonicClock }) {
    const { log, clock = monotonicClock } = needs
    this.#clock = clock
    let fields = { peerId: '', what: '' }
    const warn = atMostEvery(
      WARN_EVERY_MS,
      (timesBefore) => log.warn('a peer was disconnected for what it sent', { ...fields, timesBefore }),
      clock,
    )
    this.#warn = (latest) => {
      fields = latest
      warn()
    }
    const isRefused = (peerId: PeerId): boolean => this.has(peerId.toString())
    this.gater = { denyDialPeer: isRefused, denyInboundEncryptedConnection: isRefused }
  }

  /** Whether this peer is refused now. */
  has(peerId: string): boolean {
    return this.#clock.elapsedMs() < (this.#refusedUntilMs.peek(peerId) ?? 0)
  }

  /** Counts so many offences; of a peer with too many, `connections` are closed and it is refused from now on. */
  offended(peerId: string, connections: () => readonly Connection[], what: string, count = 1): void {
    const now = this.#clock.elapsedMs()
    const bucket = refilled(this.#offences.peek(peerId) ?? fullBucket(OVERLOOKED, now), OVERLOOKED, now)
    if (bucket.tokens < count) this.#expel(peerId, connections, what)
    else this.#offences.set(peerId, { ...bucket, tokens: bucket.tokens - count })
  }

  #expel(peerId: string, connections: () => readonly Connection[], what: string): void {
    if (this.has(peerId)) return
    this.#refusedUntilMs.set(peerId, this.#clock.elapsedMs() + REFUSED_FOR_MS)
    this.#warn({ peerId, what })
    for (const connection of connections()) connection.abort(new Error(what))
  }
}
