import type { Network } from './network.js'
import { numberOf } from './syncs.js'

const MINUTE_MS = 60_000
/** How long a split lasts, and when after its end tables are looked at, in minutes. */
const SPLIT_MS = 30 * MINUTE_MS
const AFTER_MIN = [1, 5, 15, 30, 60]

/** Two sides of a network, one region and the others, that can't reach each other for a while. */
export class Partition {
  readonly #network: Network
  readonly #onLost: (node: number) => void
  #isSplit = false
  #wasSplit = false

  /** `onLost` hears of each node that has lost a connection. */
  constructor(network: Network, onLost: (node: number) => void) {
    this.#network = network
    this.#onLost = onLost
  }

  readonly sideOf = (node: number): number => (this.#network.population.region[node] === 0 ? 0 : 1)

  /** Whether two nodes can't reach each other now. */
  areApart(a: number, b: number): boolean {
    return this.#isSplit && this.sideOf(a) !== this.sideOf(b)
  }

  /**
   * A lookup has opened a connection: it joins the two sides again. Routing tables keep those that were not there for a
   * while, and who is connected gossips, whatever for.
   */
  looked(from: number, to: number): void {
    if (this.#wasSplit && this.sideOf(from) !== this.sideOf(to)) this.#network.overlay.link(from, to)
  }

  split(isSplit: boolean): void {
    const { overlay, dht } = this.#network
    this.#isSplit = isSplit
    this.#wasSplit = true
    const lost = overlay.split(isSplit ? (a, b) => this.areApart(a, b) : undefined)
    dht.split(isSplit ? this.sideOf : undefined)
    for (const node of lost) this.#onLost(node)
  }
}

/** A third of the network and the rest lose each other for half an hour: how much of the one the others' tables show. */
export function comeApart(network: Network): Record<string, number> {
  const startMs = network.clock.atMs
  const figures: Record<string, number> = { beyondBefore: shownBeyond(network), linksBefore: linksBeyond(network) }
  network.partition.split(true)
  network.run(startMs + SPLIT_MS)
  figures['beyondAtTheEnd'] = shownBeyond(network)
  network.partition.split(false)
  for (const minutes of AFTER_MIN) {
    network.run(startMs + SPLIT_MS + minutes * MINUTE_MS)
    figures[`beyondAfter${String(minutes)}min`] = shownBeyond(network)
    figures[`linksAfter${String(minutes)}min`] = linksBeyond(network)
  }
  return figures
}

/** Of the rows that tables show of nodes that are on, those of the other side; where all is well, as many as it has. */
function shownBeyond({ observers, overlay, partition: { sideOf } }: Network): number {
  let [beyond, expected] = [0, 0]
  const there = overlay.everybody.list
  const share = there.filter((node) => sideOf(node) === 0).length / there.length
  for (const node of observers.nodes) {
    const rows = [...(observers.view(node)?.rows() ?? [])].map(({ peerId }) => numberOf(peerId))
    const live = rows.filter((owner) => overlay.online[owner] === 1)
    beyond += live.filter((owner) => sideOf(owner) !== sideOf(node)).length
    expected += live.length * (sideOf(node) === 0 ? 1 - share : share)
  }
  return beyond / Math.max(1, expected)
}

/** Connections between the two sides, as a share of those that chance would make. */
function linksBeyond({ overlay, partition: { sideOf } }: Network): number {
  let [beyond, expected] = [0, 0]
  const there = overlay.everybody.list
  const share = there.filter((node) => sideOf(node) === 0).length / there.length
  for (const node of there) {
    const links = overlay.links[node] ?? []
    beyond += links.filter((other) => sideOf(other) !== sideOf(node)).length
    expected += links.length * (sideOf(node) === 0 ? 1 - share : share)
  }
  return beyond / Math.max(1, expected)
}
