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
  /** What this request may expect there. Asked of those that are compared only. */
  expected(peerId: string): Expected
  /** Little is known of it, and this request would tell more at little cost. */
  isWorthATry(peerId: string): boolean
}

/** What a request may expect of a peer. */
export interface Expected {
  /** It refused a request a moment ago because it was full: it comes last. */
  isBusy: boolean
  /** It has read the beginning of the prompt: of those that take about as long it comes first. */
  isWarm: boolean
  /** Estimated time to first byte, and what it costs others, ms. */
  ms: number
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
  /** What is offered: the entries of one tier. */
  entries: readonly string[]
  /** Who has been considered, where one may come up more than once: entries share providers, or some are drawn. */
  seen: Set<string> | undefined
  own: string[]
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
    entries,
    seen: entries.length > 1 ? new Set() : undefined,
    own: [],
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
  offers.seen ??= new Set()
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
  const { seen } = offers
  if (seen?.has(peerId) === true) return
  seen?.add(peerId)
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
  const { entries, own, proven, doubtful, unproven } = offers
  const peers = byEstimate(snapshot, proven, options)
  for (const others of [doubtful, unproven]) {
    if (peers.length < MAX_ATTEMPTS) peers.push(...byEstimate(snapshot, others, options))
  }
  const order = peers.slice(0, MAX_ATTEMPTS).map((peerId): Provider => ({ kind: 'peer', peerId }))
  if (own.length > 0) {
    const selves = own.map((serviceId): Provider => ({ kind: 'self', serviceId }))
    // Where nobody else is there it makes no difference, and finding it out costs.
    const isOwnAble = order.length > 0 && options.fit?.(options.ownPeerId, entries) !== 'no'
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
  const compared = peers.map((peerId) => snapshot.expected(peerId))
  const tried =
    random() < TRY_SHARE
      ? compared.findIndex(({ isBusy }, at) => !isBusy && snapshot.isWorthATry(peers[at] as string))
      : -1
  const first = tried >= 0 ? tried : (soonest(compared, 1, (one) => (one.isWarm ? 0 : SHUFFLE), random)[0] ?? 0)
  const others = soonest(compared, MAX_ATTEMPTS, () => SHUFFLE_LATER, random).filter((at) => at !== first)
  return [first, ...others.slice(0, MAX_ATTEMPTS - 1)].map((at) => peers[at] as string)
}

/**
 * Where those are that come next, `count` of them: the free ones first, by their estimates, which are made longer by
 * chance. No logarithm is taken for one that comes later in any case: drawing for each costs more than all the rest.
 */
function soonest(
  compared: readonly Expected[],
  count: number,
  shareOf: (one: Expected) => number,
  random: () => number,
): number[] {
  const best: Drawn[] = []
  for (let at = 0; at < compared.length; at += 1) {
    const one = compared[at] as Expected
    const last = best.length < count ? undefined : best[count - 1]
    if (last !== undefined && !isSooner(one, last)) continue
    const share = shareOf(one)
    let { ms } = one
    if (share > 0) {
      const longest = share * ms + UNNOTICED_MS
      const chance = random()
      // -log(1 - x) is never less than x.
      if (last !== undefined && last.isBusy === one.isBusy && ms + chance * longest >= last.ms) continue
      ms -= longest * Math.log(1 - chance)
      if (last !== undefined && last.isBusy === one.isBusy && ms >= last.ms) continue
    }
    const drawn = { at, isBusy: one.isBusy, ms }
    let place = last === undefined ? best.length : count - 1
    for (; place > 0 && isSooner(drawn, best[place - 1] as Drawn); place -= 1) best[place] = best[place - 1] as Drawn
    best[place] = drawn
  }
  return best.map(({ at }) => at)
}

/** One of the compared, with its estimate as it was drawn. */
interface Drawn {
  at: number
  isBusy: boolean
  ms: number
}

/** The free ones before the busy ones, then whose time is shorter. */
const isSooner = (one: Pick<Expected, 'isBusy' | 'ms'>, other: Pick<Expected, 'isBusy' | 'ms'>): boolean =>
  one.isBusy === other.isBusy ? one.ms < other.ms : other.isBusy
