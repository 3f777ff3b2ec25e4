/** Somebody who can serve a request: this node itself or another peer. */
export type Provider = { kind: 'self'; serviceId: string } | { kind: 'peer'; peerId: string }

/** What the choice is made from; read once, so that the choice is a pure function. */
export interface ProviderSnapshot {
  /** This node's own service that offers the entry, if it is connected. */
  ownService(entry: string): string | undefined
  /** False while this node has as many requests at work as it has places: others come first then. */
  ownHasRoom(): boolean
  /** Other peers that offer the entry. */
  peers(entry: string): Iterable<string>
  /** False for peers that are known not to answer at the moment. */
  isRoutable(peerId: string): boolean
  /** True for peers that refused a request a moment ago because they were full: they come last. */
  isBusy(peerId: string): boolean
  /** Estimated time to first byte in ms. Asked, like `isBusy`, of the few peers that are compared only. */
  estimateMs(peerId: string): number
}

/** What a request or its history asks of the choice. */
export interface ChoiceWishes {
  /** A peer the client wants, where it can serve. */
  prefer?: string | undefined
  /** Peers the client does not want; this node's own id excludes this node. */
  exclude?: ReadonlySet<string>
  /** The peer that served this conversation last: its cache is warm. */
  warm?: string | undefined
}

/** Distinct peers a request is tried on. */
export const MAX_TRIES = 4

/**
 * How much longer than the best of the compared a peer with a warm cache may be expected to take. Re-reading a long
 * conversation costs more than a short wait, but not more than a queue.
 */
export const WARM_BOUND = 2

/** Who a request will be tried on, in order, and whether anybody was known at all. */
export interface Choice {
  providers: Provider[]
  /** True when at least one peer offers it but none can be routed to now. */
  knownButAway: boolean
}

/**
 * Providers to try, best first: of the best tier that has any, the peer the client prefers, this node while it has
 * room, the peer with a warm cache unless it is overloaded, then the others by power of two choices on their estimates
 * (M. Mitzenmacher, 2001): of two drawn at random the better one, so that load evens out without a herd. A peer is one
 * candidate however many entries match.
 */
export function chooseProviders(
  snapshot: ProviderSnapshot,
  tiers: readonly (readonly string[])[],
  options: { random: () => number; ownPeerId: string } & ChoiceWishes,
): Choice {
  let knownButAway = false
  for (const entries of tiers) {
    const { own, peers, away } = offersOf(snapshot, entries, options)
    knownButAway ||= away
    if (own === undefined && peers.length === 0) continue
    return { providers: inOrder(snapshot, { own, peers }, options), knownButAway }
  }
  return { providers: [], knownButAway }
}

interface Offers {
  own: string | undefined
  peers: string[]
}

function offersOf(
  snapshot: ProviderSnapshot,
  entries: readonly string[],
  { exclude, ownPeerId }: ChoiceWishes & { ownPeerId: string },
): Offers & { away: boolean } {
  const ownExcluded = exclude?.has(ownPeerId) === true
  const own = ownExcluded
    ? undefined
    : entries.map((entry) => snapshot.ownService(entry)).find((id) => id !== undefined)
  const peers = new Set<string>()
  let away = false
  for (const entry of entries) {
    for (const peerId of snapshot.peers(entry)) {
      if (exclude?.has(peerId) === true) continue
      if (snapshot.isRoutable(peerId)) peers.add(peerId)
      else away = true
    }
  }
  return { own, peers: [...peers], away }
}

function inOrder(
  snapshot: ProviderSnapshot,
  { own, peers }: Offers,
  options: { random: () => number } & ChoiceWishes,
): Provider[] {
  const { prefer, warm } = options
  const chosen = byTwoChoices(snapshot, peers, MAX_TRIES, options.random)
  if (warm !== undefined && peers.includes(warm) && isWarmEnough(snapshot, warm, chosen[0])) moveToFront(chosen, warm)
  const order: Provider[] = chosen.map((peerId) => ({ kind: 'peer', peerId }))
  if (own !== undefined) {
    const self: Provider = { kind: 'self', serviceId: own }
    // Without room this node comes last but one try: somebody else may be free, yet its own service is never left out.
    if (snapshot.ownHasRoom() || order.length === 0) order.unshift(self)
    else order.splice(MAX_TRIES - 1, 1, self)
  }
  if (prefer !== undefined && peers.includes(prefer)) preferFirst(order, prefer)
  return order.slice(0, MAX_TRIES)
}

function isWarmEnough(snapshot: ProviderSnapshot, warm: string, best: string | undefined): boolean {
  if (best === undefined || best === warm) return true
  return !snapshot.isBusy(warm) && snapshot.estimateMs(warm) <= WARM_BOUND * snapshot.estimateMs(best)
}

function moveToFront(peers: string[], peerId: string): void {
  const at = peers.indexOf(peerId)
  if (at >= 0) peers.splice(at, 1)
  peers.unshift(peerId)
}

function preferFirst(order: Provider[], peerId: string): void {
  const at = order.findIndex((provider) => provider.kind === 'peer' && provider.peerId === peerId)
  if (at >= 0) order.splice(at, 1)
  order.unshift({ kind: 'peer', peerId })
}

/** Up to `count` distinct peers; each is the better of two drawn at random from those that are left. */
function byTwoChoices(
  snapshot: ProviderSnapshot,
  peers: readonly string[],
  count: number,
  random: () => number,
): string[] {
  const left = [...peers]
  const chosen: string[] = []
  const draw = (): number => Math.floor(random() * left.length)
  while (chosen.length < count && left.length > 0) {
    const first = draw()
    const second = left.length > 1 ? (first + 1 + Math.floor(random() * (left.length - 1))) % left.length : first
    const winner = isBetter(snapshot, left[second], left[first]) ? second : first
    const [peerId] = left.splice(winner, 1)
    if (peerId !== undefined) chosen.push(peerId)
  }
  return chosen
}

function isBetter(snapshot: ProviderSnapshot, one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined || one === other) return false
  const busy = snapshot.isBusy(one)
  if (busy !== snapshot.isBusy(other)) return !busy
  return snapshot.estimateMs(one) < snapshot.estimateMs(other)
}
