// For @libp2p/circuit-relay-v2 4.2.13: first come, first served, and a reservation outlives its peer's connection. Goes
// when its reservation store ends them with the connection and has a hook that chooses who gets one.

import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { PeerId } from '@libp2p/interface'
import { createFairSlots, type FairSlots, type Slot } from '../../hardening/connection-limits/fair-slots.js'

/** The reservations of a relay, of which no source can keep all from the others. */
export class RelayReservationSlots {
  readonly #held: CircuitRelayService['reservations']
  readonly #slots: FairSlots
  readonly #byPeer = new Map<string, Slot>()
  readonly #onEvicted: (peer: PeerId) => void

  /** `held` is the library's own map, which has to lose an entry whenever a slot is given back, and the other way round. */
  constructor(held: CircuitRelayService['reservations'], options: { max: number; onEvicted: (peer: PeerId) => void }) {
    this.#held = held
    this.#slots = createFairSlots({ max: options.max })
    this.#onEvicted = options.onEvicted
    const forget = held.delete.bind(held)
    held.delete = (peer) => {
      this.#release(peer)
      // Its timer would end a later reservation of the same peer.
      held.get(peer)?.signal.clear()
      return forget(peer)
    }
  }

  /**
   * Whether that peer of `source` may have a reservation, or have its own renewed. Where all are given, the source with
   * most loses its youngest to one with fewer.
   */
  take(peer: PeerId, source: string): boolean {
    const id = peer.toString()
    if (this.#byPeer.has(id)) return true
    const slot = this.#slots.take(source, { onEvicted: () => this.#evict(peer), isBusy: () => true })
    if (slot === undefined) return false
    this.#byPeer.set(id, slot)
    return true
  }

  /** The peer has gone, and its reservation with it. */
  end(peer: PeerId): void {
    this.#held.delete(peer)
  }

  /** All have gone. */
  endAll(): void {
    for (const peer of [...this.#held.keys()]) this.end(peer)
  }

  #evict(peer: PeerId): void {
    this.end(peer)
    this.#onEvicted(peer)
  }

  #release(peer: PeerId): void {
    const id = peer.toString()
    this.#byPeer.get(id)?.release()
    this.#byPeer.delete(id)
  }
}
