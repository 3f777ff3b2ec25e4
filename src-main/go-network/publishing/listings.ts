import { BoundedMap } from '../../base/bounded-map.js'
import type { GoRow } from '../reading/go-row.js'

/** Nodes whose tables are remembered. */
const MAX_NODES = 256

/** Which nodes of the Go network list this one as it is, as their own tables showed when they were read last. */
export class Listings {
  readonly #nodes = new BoundedMap<string, { isListed: boolean; missed: number }>(MAX_NODES)

  /** Nodes that list this one, and those that do not. */
  count(): { listedBy: number; notListedBy: number } {
    const all = [...this.#nodes].map(([, { isListed }]) => isListed)
    const listedBy = all.filter(Boolean).length
    return { listedBy, notListedBy: all.length - listedBy }
  }

  /** A node's table was read. Returns how many times in a row this node was not in it as it is. */
  note(peerId: string, own: GoRow | undefined, models: readonly string[]): number {
    const offered = new Set(own?.service.flatMap(({ identity_group: entries }) => entries))
    const isListed = own !== undefined && models.every((model) => offered.has(`model=${model}`))
    const missed = isListed ? 0 : (this.#nodes.peek(peerId)?.missed ?? 0) + 1
    this.#nodes.set(peerId, { isListed, missed })
    return missed
  }

  /** What is known so far is of another record, or of nodes that are gone. */
  keepOnly(peerIds: readonly string[]): void {
    for (const [peerId] of [...this.#nodes]) if (!peerIds.includes(peerId)) this.#nodes.delete(peerId)
  }
}
