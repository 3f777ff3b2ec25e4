import type { Standing } from '#shared/contract/network/peers.js'
import type { ReadonlyProviderSet } from '../../node-table/index.js'
import type { Fit } from './eligibility/eligibility.js'

/** Somebody who can serve a request: this node itself or another peer. */
export type Provider = { kind: 'self'; serviceId: string } | { kind: 'peer'; peerId: string }

/** What the choice is made from; read once, so that the choice is a pure function. */
export interface ProviderSnapshot {
  /** This node's own services that offer the entry and are connected, the one to ask first first. */
  ownServices(entry: string): readonly string[]
  /** False while all slots of this node are taken: others come first then. */
  ownHasRoom(): boolean
  /** Peers that offer the entry; this node may be among them. */
  peers(entry: string): ReadonlyProviderSet
  /** How that peer stands with what these entries say. */
  standing(peerId: string, entries: readonly string[]): Standing
  /** True for peers that refused a request a moment ago because they were full: they come last. */
  isBusy(peerId: string): boolean
  /** Little is known of it, and this request would tell more at little cost. */
  isWorthATry(peerId: string): boolean
  /** It has read the beginning of the prompt: of those that take about as long it comes first. */
  isWarm(peerId: string): boolean
  /** Estimated time to first byte of this request there, and what it costs others, ms. Asked, like `isBusy`, of those that are compared only. */
  estimateMs(peerId: string): number
}

/** What a request or its history asks of the choice. */
export interface RoutingHints {
  /** A peer the client wants, where it can serve. */
  prefer?: string | undefined
  /** Peers the client does not want; this node's own id excludes this node. */
  exclude?: ReadonlySet<string> | undefined
  /** Peers that are known to have read the beginning of its prompt: they count however many others there are. */
  warm?: () => readonly string[]
  /** Whether the request may go to that peer at all; to any without it. */
  mayGoTo?: (peerId: string) => boolean
  /** Whether that peer, or this node, can take it with what these entries say; all can without it. */
  fit?: (peerId: string, entries: readonly string[]) => Fit
}

/** Distinct peers a request is sent to at most. */
export const MAX_ATTEMPTS = 4

/**
 * How much chance there is in the order, as a share of an estimate: many gateways look at the same old status, and would
 * all go to the same provider at once. One that is expected to take twice as long hardly ever comes first.
 */
const SHUFFLE = 0.1
/** The same among those that are asked when the first has refused: what was known of them is old by then. */
const SHUFFLE_LATER = 1
/** So many ms more or less are left to chance in any case. */
const UNNOTICED_MS = 15
/**
 * Share of the requests that go to a provider of which little is known, where one is worth a try: otherwise the first
 * that was measured would stay the only one.
 */
const TRY_SHARE = 0.25

/** Who a request is sent to, in order, and whether anyone was known at all. */
export interface Choice {
  providers: Provider[]
  /** Peers of that tier that may not be there at all, some of them at random: they are to be asked whether they are. */
  unproven: string[]
  /** True when at least one peer offers it but none can be routed to now. */
  knownButAway: boolean
  /** True when at least one peer offers it that the request may not go to. */
  beyondReach: boolean
  /** True when at least one peer offers it that cannot take this request. */
  unable: boolean
}

/**
 * Providers to ask, best first: of the best tier that has any, the peer the client prefers, this node while it has
 * room, then the others by their estimates, with a little chance so that load evens out without a herd. Whoever is not
 * proven comes after all who are. A peer is one candidate however many entries match.
 */
export function chooseProviders(
  snapshot: ProviderSnapshot,
  tiers: readonly (readonly string[])[],
  options: Asked,
): Choice {
  let knownButAway = false
  let beyondReach = false
  let unable = false
  for (const entries of tiers) {
    const offers = offersOf(snapshot, entries, options)
    knownButAway ||= offers.away
    beyondReach ||= offers.beyondReach
    unable ||= offers.unable
    const { proven, doubtful, unproven } = offers
    if (offers.own.length + proven.length + doubtful.length + unproven.length === 0) continue
    return { providers: inOrder(snapshot, offers, options), unproven, knownButAway, beyondReach, unable }
  }
  return { providers: [], unproven: [], knownButAway, beyondReach, unable }
}

/** Peers of one entry that are compared one by one; of more, as many are drawn at random, so that cost is bounded. */
export const MAX_COMPARED = 64

/** Peers that may not be there of which one choice tells, so that its cost is bounded. */
const MAX_UNPROVEN = 256

interface Offers {
  /** Who has been considered: entries may share providers, and some are drawn more than once. */
  seen: Set<string>
  own: string[]
  /** This node can take it. */
  isOwnAble: boolean
  proven: string[]
  doubtful: string[]
  unproven: string[]
  away: boolean
  beyondReach: boolean
  unable: boolean
}

/** What of the choice is asked about each peer. */
type Asked = RoutingHints & { random: () => number; ownPeerId: string }

function offersOf(snapshot: ProviderSnapshot, entries: readonly string[], asked: Asked): Offers {
  const { exclude, ownPeerId } = asked
  const offers: Offers = {
    seen: new Set(),
    own: [],
    isOwnAble: asked.fit?.(ownPeerId, entries) !== 'no',
    proven: [],
    doubtful: [],
    unproven: [],
    ...{ away: false, beyondReach: false, unable: false },
  }
  for (const entry of entries) {
    if (exclude?.has(ownPeerId) !== true && offers.own.length === 0) offers.own.push(...snapshot.ownServices(entry))
    addPeers(offers, snapshot, snapshot.peers(entry), { asked, entries })
  }
  return offers
}

/** What is asked for: the entries of one tier. */
interface Wanted {
  asked: Asked
  entries: readonly string[]
}

function addPeers(offers: Offers, snapshot: ProviderSnapshot, offering: ReadonlyProviderSet, wanted: Wanted): void {
  const { list } = offering
  const { asked } = wanted
  if (list.length <= MAX_COMPARED) {
    for (const peerId of list) consider(offers, snapshot, peerId, wanted)
    return
  }
  const before = offers.proven.length
  for (let drawn = 0; drawn < MAX_COMPARED; drawn += 1) {
    consider(offers, snapshot, list[Math.floor(asked.random() * list.length)], wanted)
  }
  // A hint counts however many there are.
  for (const hinted of [asked.prefer, ...(asked.warm?.() ?? [])]) {
    if (hinted !== undefined && offering.has(hinted)) consider(offers, snapshot, hinted, wanted)
  }
  if (offers.proven.length - before >= MAX_ATTEMPTS) return
  // Few of them are proven: rather go through all than miss those.
  for (const peerId of list) {
    if (offers.proven.length - before >= MAX_COMPARED) return
    consider(offers, snapshot, peerId, wanted)
  }
}

function consider(
  offers: Offers,
  snapshot: ProviderSnapshot,
  peerId: string | undefined,
  { asked, entries }: Wanted,
): void {
  if (peerId === undefined || peerId === asked.ownPeerId || asked.exclude?.has(peerId) === true) return
  if (offers.seen.has(peerId)) return
  offers.seen.add(peerId)
  if (asked.mayGoTo?.(peerId) === false) {
    offers.beyondReach = true
    return
  }
  const standing = snapshot.standing(peerId, entries)
  if (standing === 'away') {
    offers.away = true
    return
  }
  const fit = asked.fit?.(peerId, entries) ?? 'yes'
  if (fit === 'no') {
    offers.unable = true
    return
  }
  // Those that take it for sure come before those that may.
  const alike = offers[fit === 'maybe' && standing === 'proven' ? 'doubtful' : standing]
  if (standing !== 'unproven' || alike.length < MAX_UNPROVEN) alike.push(peerId)
}

function inOrder(snapshot: ProviderSnapshot, offers: Offers, options: Asked): Provider[] {
  const { own, isOwnAble, proven, doubtful, unproven } = offers
  const peers = byEstimate(snapshot, proven, options)
  for (const others of [doubtful, unproven]) {
    if (peers.length < MAX_ATTEMPTS) peers.push(...byEstimate(snapshot, others, options))
  }
  const order = peers.slice(0, MAX_ATTEMPTS).map((peerId): Provider => ({ kind: 'peer', peerId }))
  if (own.length > 0) {
    const selves = own.map((serviceId): Provider => ({ kind: 'self', serviceId }))
    // Without room this node comes after those that are there: one may be free, yet its own service is never left out.
    const free = Math.min(isOwnAble ? proven.length : order.length, MAX_ATTEMPTS - 1)
    if (free === 0 || (isOwnAble && snapshot.ownHasRoom())) order.unshift(...selves)
    else order.splice(free, 0, ...selves)
  }
  const { prefer } = options
  if (prefer !== undefined && [...proven, ...doubtful, ...unproven].includes(prefer)) preferFirst(order, prefer)
  if (order.length > MAX_ATTEMPTS) order.length = MAX_ATTEMPTS
  return order
}

function preferFirst(order: Provider[], peerId: string): void {
  const at = order.findIndex((provider) => provider.kind === 'peer' && provider.peerId === peerId)
  if (at >= 0) order.splice(at, 1)
  order.unshift({ kind: 'peer', peerId })
}

/** Up to {@link MAX_ATTEMPTS} distinct peers, those that are expected to answer soonest first. */
function byEstimate(snapshot: ProviderSnapshot, peers: readonly string[], { random }: Asked): string[] {
  if (peers.length < 2) return [...peers]
  const left = peers.map((peerId): Compared => {
    const isBusy = snapshot.isBusy(peerId)
    const ms = snapshot.estimateMs(peerId)
    return { peerId, isBusy, ms, drawnMs: snapshot.isWarm(peerId) ? ms : drawn(ms, SHUFFLE, random) }
  })
  const tried = random() < TRY_SHARE ? left.findIndex((one) => !one.isBusy && snapshot.isWorthATry(one.peerId)) : -1
  const chosen = [takeOut(left, tried >= 0 ? tried : soonest(left))]
  for (const one of left) one.drawnMs = drawn(one.ms, SHUFFLE_LATER, random)
  while (chosen.length < MAX_ATTEMPTS && left.length > 0) chosen.push(takeOut(left, soonest(left)))
  return chosen
}

/** What is known of one of the compared. */
interface Compared {
  peerId: string
  isBusy: boolean
  ms: number
  /** Its estimate with a part that is left to chance. */
  drawnMs: number
}

/** An estimate, made longer by chance. */
const drawn = (ms: number, share: number, random: () => number): number =>
  ms - (share * ms + UNNOTICED_MS) * Math.log(1 - random())

/** Where the one is that comes next: the free ones first, by what was drawn for them. */
function soonest(compared: readonly Compared[]): number {
  let best = 0
  for (let at = 1; at < compared.length; at += 1) {
    const [one, other] = [compared[at] as Compared, compared[best] as Compared]
    if (one.isBusy === other.isBusy ? one.drawnMs < other.drawnMs : other.isBusy) best = at
  }
  return best
}

/** Takes one out; the last gets its place. */
function takeOut(compared: Compared[], at: number): string {
  const { peerId } = compared[at] as Compared
  const last = compared.pop() as Compared
  if (at < compared.length) compared[at] = last
  return peerId
}
