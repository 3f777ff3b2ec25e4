/** Somebody who can serve a request: this node itself or another peer. */
export type Provider = { kind: 'self'; serviceId: string } | { kind: 'peer'; peerId: string }

/** What the choice is made from; read once, so that the choice is a pure function. */
export interface ProviderSnapshot {
  /** This node's own service that offers the entry, if it is connected. */
  ownService(entry: string): string | undefined
  /** Other peers that offer the entry. */
  peers(entry: string): Iterable<string>
  /** False for peers that are known not to answer at the moment. */
  isRoutable(peerId: string): boolean
}

/** Distinct peers a request is tried on. */
export const MAX_TRIES = 4

/** Who a request will be tried on, in order, and whether anybody was known at all. */
export interface Choice {
  providers: Provider[]
  /** True when at least one peer offers it but none can be routed to now. */
  knownButAway: boolean
}

/**
 * Providers to try, best first: the best tier that has any; in it this node itself, then the others in random order.
 * A peer is one candidate however many entries match.
 */
export function chooseProviders(
  snapshot: ProviderSnapshot,
  tiers: readonly (readonly string[])[],
  random: () => number,
): Choice {
  let knownButAway = false
  for (const entries of tiers) {
    const own = entries.map((entry) => snapshot.ownService(entry)).find((id) => id !== undefined)
    const peers = new Set<string>()
    for (const entry of entries) {
      for (const peerId of snapshot.peers(entry)) {
        if (snapshot.isRoutable(peerId)) peers.add(peerId)
        else knownButAway = true
      }
    }
    if (own === undefined && peers.size === 0) continue
    const room = MAX_TRIES - (own === undefined ? 0 : 1)
    const chosen = sample([...peers], room, random)
    return {
      providers: [
        ...(own === undefined ? [] : [{ kind: 'self' as const, serviceId: own }]),
        ...chosen.map((peerId) => ({ kind: 'peer' as const, peerId })),
      ],
      knownButAway,
    }
  }
  return { providers: [], knownButAway }
}

/** `count` distinct items in random order. */
function sample<T>(items: T[], count: number, random: () => number): T[] {
  const chosen: T[] = []
  while (chosen.length < count && items.length > 0) {
    chosen.push(...items.splice(Math.floor(random() * items.length), 1))
  }
  return chosen
}
