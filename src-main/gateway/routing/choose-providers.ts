import type { ReadonlyProviderSet } from '../../node-table/index.js'

/** Somebody who can serve a request: this node itself or another peer. */
export type Provider = { kind: 'self'; serviceId: string } | { kind: 'peer'; peerId: string }

/** What the choice is made from; read once, so that the choice is a pure function. */
export interface ProviderSnapshot {
  /** This node's own service that offers the entry, if it is connected. */
  ownService(entry: string): string | undefined
  /** False while all slots of this node are taken: others come first then. */
  ownHasRoom(): boolean
  /** Peers that offer the entry; this node may be among them. */
  peers(entry: string): ReadonlyProviderSet
  /** False for peers that are known not to answer at the moment. */
  isRoutable(peerId: string): boolean
  /** True for peers that refused a request a moment ago because they were full: they come last. */
  isBusy(peerId: string): boolean
  /** Estimated time to first byte in ms. Asked, like `isBusy`, of the few peers that are compared only. */
  estimateMs(peerId: string): number
}

/** What a request or its history asks of the choice. */
export interface RoutingHints {
  /** A peer the client wants, where it can serve. */
  prefer?: string | undefined
  /** Peers the client does not want; this node's own id excludes this node. */
  exclude?: ReadonlySet<string> | undefined
  /** The peer that served this conversation last: its cache is warm. */
  warm?: string | undefined
}

/** Distinct peers a request is sent to at most. */
export const MAX_ATTEMPTS = 4

/**
 * How much longer than the best of the compared a peer with a warm cache may be expected to take. Re-reading a long
 * conversation costs more than a short wait, but not more than a queue.
 */
const WARM_BOUND = 2

/** Who a request is sent to, in order, and whether anyone was known at all. */
export interface Choice {
  providers: Provider[]
  /** True when at least one peer offers it but none can be routed to now. */
  knownButAway: boolean
}

/**
 * Providers to ask, best first: of the best tier that has any, the peer the client prefers, this node while it has
 * room, the peer with a warm cache unless it is overloaded, then the others by power of two choices on their estimates
 * (M. Mitzenmacher, 2001): of two drawn at random the better one, so that load evens out without a herd. A peer is one
 * candidate however many entries match.
 */
export function chooseProviders(
  snapshot: ProviderSnapshot,
  tiers: readonly (readonly string[])[],
  options: Asked,
): Choice {
  let knownButAway = false
  for (const entries of tiers) {
    const offers = offersOf(snapshot, entries, options)
    knownButAway ||= offers.away
    if (offers.own === undefined && offers.peers.length === 0) continue
    return { providers: inOrder(snapshot, offers, options), knownButAway }
  }
  return { providers: [], knownButAway }
}

/** Peers of one entry that are compared one by one; of more, as many are drawn at random, so that cost is bounded. */
export const MAX_COMPARED = 64

interface Offers {
  own: string | undefined
  peers: string[]
  away: boolean
}

/** What of the choice is asked about each peer. */
type Asked = RoutingHints & { random: () => number; ownPeerId: string }

function offersOf(snapshot: ProviderSnapshot, entries: readonly string[], asked: Asked): Offers {
  const { exclude, ownPeerId } = asked
  const offers: Offers = { own: undefined, peers: [], away: false }
  for (const entry of entries) {
    if (exclude?.has(ownPeerId) !== true) offers.own ??= snapshot.ownService(entry)
    addPeers(offers, snapshot, snapshot.peers(entry), asked)
  }
  return offers
}

function addPeers(offers: Offers, snapshot: ProviderSnapshot, offering: ReadonlyProviderSet, asked: Asked): void {
  const { list } = offering
  if (list.length <= MAX_COMPARED) {
    for (const peerId of list) consider(offers, snapshot, peerId, asked)
    return
  }
  const before = offers.peers.length
  for (let drawn = 0; drawn < MAX_COMPARED; drawn += 1) {
    consider(offers, snapshot, list[Math.floor(asked.random() * list.length)], asked)
  }
  // A hint counts however many there are.
  for (const hinted of [asked.prefer, asked.warm]) {
    if (hinted !== undefined && offering.has(hinted)) consider(offers, snapshot, hinted, asked)
  }
  if (offers.peers.length - before >= MAX_ATTEMPTS) return
  // Most of them are away: rather go through all than answer that there is no provider.
  for (const peerId of list) {
    if (offers.peers.length - before >= MAX_COMPARED) return
    consider(offers, snapshot, peerId, asked)
  }
}

function consider(
  offers: Offers,
  snapshot: ProviderSnapshot,
  peerId: string | undefined,
  { exclude, ownPeerId }: Asked,
): void {
  if (peerId === undefined || peerId === ownPeerId || exclude?.has(peerId) === true) return
  if (!snapshot.isRoutable(peerId)) offers.away = true
  else if (!offers.peers.includes(peerId)) offers.peers.push(peerId)
}

function inOrder(
  snapshot: ProviderSnapshot,
  { own, peers }: Offers,
  options: { random: () => number } & RoutingHints,
): Provider[] {
  const order: Provider[] = byTwoChoices(snapshot, peers, options).map((peerId) => ({ kind: 'peer', peerId }))
  if (own !== undefined) {
    const self: Provider = { kind: 'self', serviceId: own }
    // Without room this node comes last: another may be free, yet its own service is never left out.
    if (order.length === 0 || snapshot.ownHasRoom()) order.unshift(self)
    else order.splice(MAX_ATTEMPTS - 1, 1, self)
  }
  const { prefer } = options
  if (prefer !== undefined && peers.includes(prefer)) preferFirst(order, prefer)
  if (order.length > MAX_ATTEMPTS) order.length = MAX_ATTEMPTS
  return order
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

/**
 * Up to {@link MAX_ATTEMPTS} distinct peers; each is the better of two drawn at random from those that are left, and the
 * one with a warm cache comes first unless it is overloaded.
 */
function byTwoChoices(
  snapshot: ProviderSnapshot,
  peers: readonly string[],
  options: { random: () => number } & RoutingHints,
): readonly string[] {
  if (peers.length < 2) return peers
  const left = [...peers]
  const chosen: string[] = []
  while (chosen.length < MAX_ATTEMPTS && left.length > 0) {
    const first = Math.floor(options.random() * left.length)
    const second =
      left.length > 1 ? (first + 1 + Math.floor(options.random() * (left.length - 1))) % left.length : first
    const winner = isBetter(snapshot, left[second], left[first]) ? second : first
    const [peerId] = left.splice(winner, 1)
    if (peerId !== undefined) chosen.push(peerId)
  }
  const { warm } = options
  if (warm !== undefined && peers.includes(warm) && isWarmEnough(snapshot, warm, chosen[0])) moveToFront(chosen, warm)
  return chosen
}

function isBetter(snapshot: ProviderSnapshot, one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined || one === other) return false
  const busy = snapshot.isBusy(one)
  if (busy !== snapshot.isBusy(other)) return !busy
  return snapshot.estimateMs(one) < snapshot.estimateMs(other)
}
