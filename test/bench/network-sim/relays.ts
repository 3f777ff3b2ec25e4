import { SETTINGS } from '../../../src-main/config/index.js'
import { COSTS } from './costs.js'
import type { Network } from './network.js'
import { REACH } from './population.js'
import { SPENT } from './traffic.js'

/** As in relay-client.ts. */
const RELAYS_WANTED = 2
/** A reservation is renewed so often (`RESERVATION_MS` less five minutes). */
const RENEWED_EVERY_MS = 25 * 60_000
/** The default of `relay.max-reservations`. */
const MAX_RESERVATIONS = SETTINGS['relay.max-reservations'].default
/** Peers a node without a relay asks, of those it is connected with, before it looks for others. */
const MOST_ASKED = 40

/** Who relays for whom: whoever can't be dialled has a reservation at two that can. */
export class Relays {
  readonly #network: Network
  readonly #relaysOf: (number[] | undefined)[]
  readonly #clients: Uint32Array
  /** Nodes that found no relay with room. */
  refused = 0

  constructor(network: Network) {
    this.#network = network
    this.#relaysOf = new Array<number[] | undefined>(network.population.size)
    this.#clients = new Uint32Array(network.population.size)
  }

  /** The nearer one of a node's relays; undefined for one that needs or has none. */
  of(node: number): number | undefined {
    const { overlay } = this.#network
    const [one, other] = this.#relaysOf[node] ?? []
    if (one === undefined || other === undefined) return one
    return overlay.oneWayMs(node, other) < overlay.oneWayMs(node, one) ? other : one
  }

  clientsOf(relay: number): number {
    return this.#clients[relay] ?? 0
  }

  /** Makes reservations until there are as many as a node wants: with those it is connected with first. */
  fill(node: number): void {
    const { overlay, population, random, traffic } = this.#network
    if ((population.reach[node] ?? 0) <= REACH.diallable || overlay.online[node] !== 1) return
    const mine = (this.#relaysOf[node] ??= [])
    const links = overlay.links[node] ?? []
    for (let tries = 0; mine.length < RELAYS_WANTED && tries < MOST_ASKED; tries += 1) {
      const linked = links[tries]
      const relay = linked ?? overlay.diallable.draw(random)
      if (relay === undefined || mine.includes(relay) || !this.#relays(relay)) continue
      if (linked === undefined) overlay.link(node, relay)
      mine.push(relay)
      this.#clients[relay] = this.clientsOf(relay) + 1
      traffic.both(SPENT.dials, node, relay, COSTS.reservationBytes)
    }
    if (mine.length === 0) this.refused += 1
  }

  /** A node has gone. Returns those that it relayed for. */
  left(node: number, peers: readonly number[]): number[] {
    for (const relay of this.#relaysOf[node] ?? []) this.#clients[relay] = Math.max(0, this.clientsOf(relay) - 1)
    this.#relaysOf[node] = undefined
    if (this.clientsOf(node) === 0) return []
    this.#clients[node] = 0
    const without = peers.filter((peer) => this.#relaysOf[peer]?.includes(node) === true)
    for (const peer of without) this.#relaysOf[peer] = this.#relaysOf[peer]?.filter((relay) => relay !== node)
    return without
  }

  /** What reservations cost both ends in a minute. */
  minute(): void {
    const { overlay, traffic } = this.#network
    for (const node of overlay.everybody.list) {
      for (const relay of this.#relaysOf[node] ?? []) {
        traffic.both(SPENT.dials, node, relay, (COSTS.reservationBytes * 60_000) / RENEWED_EVERY_MS)
      }
    }
  }

  #relays(node: number): boolean {
    const { population } = this.#network
    return (population.reach[node] ?? REACH.relayed) <= REACH.diallable && this.clientsOf(node) < MAX_RESERVATIONS
  }
}
