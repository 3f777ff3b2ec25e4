import { RELAY_GONE } from '../internet.js'
import type { Network } from '../network.js'
import { REACH } from '../population.js'

/**
 * Round trips, measured by round-trips.ts between two real nodes: a connection until it can be used (TCP and TLS), and a
 * question on a stream of it. What asking a relay for a circuit adds, and the handshakes over one (noise and yamux, each
 * negotiated), are counted in the protocols.
 */
const TRIPS = { connect: 3.3, ask: 2.2, circuit: 2, overCircuit: 4 }
/** How long a dial to one that has gone takes, and how many trips it takes a relay to say that somebody is not there. */
const [GONE_AFTER_MS, RELAY_SAYS_TRIPS] = [4_000, 2]

/** How long it takes one node to ask another something, whichever way it is reached. */
export class Dialling {
  readonly #network: Network

  constructor(network: Network) {
    this.#network = network
  }

  /** A question over a connection that there is, or that is made for it. */
  directMs(asker: number, other: number, isLinked: boolean): number {
    const tripMs = 2 * this.#network.overlay.oneWayMs(asker, other)
    return (TRIPS.ask + (isLinked ? 0 : TRIPS.connect)) * tripMs
  }

  /** Asks somebody who may have gone; a node that was made up has a number below zero. */
  ask(asker: number, other: number): { isThere: boolean; ms: number } {
    const { overlay, population, random } = this.#network
    const isLinked = overlay.links[asker]?.includes(other) ?? false
    const isRelayed = (population.reach[other] ?? 0) > REACH.diallable
    if (overlay.online[other] !== 1) {
      const ms = isRelayed && other >= 0 ? this.#overRelay(asker, other, RELAY_SAYS_TRIPS).ms : GONE_AFTER_MS
      return { isThere: false, ms }
    }
    if (!isRelayed || isLinked) return { isThere: true, ms: this.directMs(asker, other, isLinked) }
    if (random() < RELAY_GONE) return { isThere: false, ms: GONE_AFTER_MS }
    // Handshakes and the question go all the way.
    const { ms, bothWaysMs } = this.#overRelay(asker, other, TRIPS.circuit)
    return { isThere: true, ms: ms + (TRIPS.overCircuit + TRIPS.ask) * bothWaysMs }
  }

  /** A connection with a relay of that node, where there is none yet, and as many trips of both ways. */
  #overRelay(asker: number, other: number, trips: number): { ms: number; bothWaysMs: number } {
    const { overlay, relays } = this.#network
    const relay = relays.of(other) ?? asker
    const toRelayMs = 2 * overlay.oneWayMs(asker, relay)
    const bothWaysMs = toRelayMs + 2 * overlay.oneWayMs(relay, other)
    const isLinked = overlay.links[asker]?.includes(relay) ?? false
    return { ms: (isLinked ? 0 : TRIPS.connect) * toRelayMs + trips * bothWaysMs, bothWaysMs }
  }
}
