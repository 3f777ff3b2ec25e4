import { BoundedMap } from '../../base/bounded-map.js'
import { type Clock, monotonicClock, type MonotonicClock, systemClock } from '../../base/clock.js'
import { Listeners } from '../../base/listeners.js'

/** A node that told of itself in the local network. */
export interface LanPeer {
  peerId: string
  /** Multiaddrs in that network, each with `/p2p/<peerId>`. */
  addresses: readonly string[]
  /** Unix milliseconds of when it was first heard. */
  sinceMs: number
}

const MAX_PEERS = 256
/** Every node asks at least every two minutes, and all hear the answers. */
const FORGET_AFTER_MS = 5 * 60_000

/** The nodes that multicast DNS has told of lately. */
export class LanPeers {
  readonly #peers = new BoundedMap<string, LanPeer & { heardAtMs: number }>(MAX_PEERS)
  readonly #listeners = new Listeners()
  readonly #clock: Clock
  readonly #monotonic: MonotonicClock
  #timer: NodeJS.Timeout | undefined

  constructor(needs: { clock?: Clock; monotonic?: MonotonicClock } = {}) {
    this.#clock = needs.clock ?? systemClock
    this.#monotonic = needs.monotonic ?? monotonicClock
  }

  /** Somebody in the local network says that this peer is at these addresses of it. */
  heard(peerId: string, addresses: readonly string[]): void {
    const known = this.#fresh().find((peer) => peer.peerId === peerId)
    const sinceMs = known?.sinceMs ?? this.#clock.now()
    this.#peers.set(peerId, { peerId, addresses, sinceMs, heardAtMs: this.#monotonic.elapsedMs() })
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#forget(), FORGET_AFTER_MS).unref()
    if (known === undefined || known.addresses.join() !== addresses.join()) this.#listeners.notify()
  }

  list(): LanPeer[] {
    return this.#fresh().map(({ heardAtMs: _, ...peer }) => peer)
  }

  /** Calls `listener` after each change; returns the way to stop. */
  onChanged(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  #fresh(): (LanPeer & { heardAtMs: number })[] {
    const nowMs = this.#monotonic.elapsedMs()
    return [...this.#peers].map(([, peer]) => peer).filter(({ heardAtMs }) => nowMs - heardAtMs < FORGET_AFTER_MS)
  }

  #forget(): void {
    const kept = new Set(this.#fresh().map(({ peerId }) => peerId))
    for (const [peerId] of [...this.#peers]) if (!kept.has(peerId)) this.#peers.delete(peerId)
    this.#listeners.notify()
  }
}
