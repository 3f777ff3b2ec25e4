import type { PathKind, PeerView } from '#shared/contract/network/peers.js'

/** Of what kind the line to a peer is. */
export type LineKind = 'direct' | 'punched' | 'relayed' | 'known'

/** A peer with its place in the map; this node is at 0, 0. */
export interface PlacedPeer {
  peerId: string
  x: number
  y: number
  kind: LineKind
  /** Others are reached through it. */
  isRelay: boolean
}

/** A line between two places. */
interface Line {
  key: string
  kind: LineKind
  x1: number
  y1: number
  x2: number
  y2: number
}

/** Who stands where. */
export interface NetworkLayout {
  peers: PlacedPeer[]
  lines: Line[]
  /** Radius of each peer's mark, in pixels: the largest with which all have room. */
  mark: number
  /** Peers that have no room in the map. */
  left: number
}

/** More than these a map can't tell apart. */
export const MAX_PLACED = 200

/** Radii of marks that are tried, largest first; names stand below those of the first. */
const MARKS = [16, 10, 6.5, 5] as const
/** Between two marks on a ring, as a share of their diameter; marks with names need more. */
const GAP = 1.35
const GAP_WITH_NAMES = 2.6

/** The bands of each kind, in shares of the way from the middle to the edge: the first ring stands at their end. */
const BANDS: Readonly<Record<Ring, readonly [from: number, to: number]>> = {
  inner: [0.3, 0.58],
  relayed: [0.74, 0.8],
  known: [0.88, 1],
}
type Ring = 'inner' | 'relayed' | 'known'
const RINGS: readonly Ring[] = ['inner', 'relayed', 'known']
/** What stays free at the edge, for marks and the names below them. */
const EDGE = { x: 44, y: 34 }

const KINDS: Readonly<Record<PathKind, LineKind>> = {
  'direct-quic': 'direct',
  'direct-tcp': 'direct',
  'direct-ws': 'direct',
  'hole-punched': 'punched',
  relayed: 'relayed',
}
const ORDER: readonly LineKind[] = ['direct', 'punched', 'relayed', 'known']

/** The kind of the best path to a peer. */
function lineKind(peer: Pick<PeerView, 'paths'>): LineKind {
  const [best] = peer.paths
  return best === undefined ? 'known' : KINDS[best]
}

const ringOf = (kind: LineKind): Ring => (kind === 'direct' || kind === 'punched' ? 'inner' : kind)

/**
 * Direct peers near, relayed ones further out beside their relay, unconnected ones at the edge; where a ring is full,
 * another begins inside of it. A peer keeps its place while the same peers are there, for that depends on the order of
 * the ids and on nothing that changes. `size`: of the map, in pixels.
 */
export function layoutNetwork(peers: readonly PeerView[], size: { width: number; height: number }): NetworkLayout {
  const ranked = peers.toSorted(
    (a, b) => ORDER.indexOf(lineKind(a)) - ORDER.indexOf(lineKind(b)) || (a.peerId < b.peerId ? -1 : 1),
  )
  const wanted = ranked.slice(0, MAX_PLACED)
  const mark = MARKS.find((radius) => leftOver(wanted, radius, size) === 0) ?? MARKS[3]
  const relays = new Set(wanted.flatMap((peer) => (lineKind(peer) === 'relayed' ? (peer.relays ?? []) : [])))
  const placed: PlacedPeer[] = []
  for (const ring of RINGS) {
    const own = wanted.filter((peer) => ringOf(lineKind(peer)) === ring)
    const seats = seatsOf(ring, own.length, mark, size)
    const inOrder = ring === 'relayed' ? besideTheirRelay(own, placed) : own
    for (const [index, peer] of inOrder.slice(0, seats.length).entries()) {
      const { x, y } = seats[index] ?? { x: 0, y: 0 }
      placed.push({ peerId: peer.peerId, kind: lineKind(peer), isRelay: relays.has(peer.peerId), x, y })
    }
  }
  const places = new Map(placed.map((peer) => [peer.peerId, peer]))
  const lines = wanted.flatMap((peer) => lineTo(peer, places))
  return { peers: placed, lines, mark, left: ranked.length - placed.length }
}

function leftOver(peers: readonly PeerView[], mark: number, size: { width: number; height: number }): number {
  return RINGS.reduce((left, ring) => {
    const own = peers.filter((peer) => ringOf(lineKind(peer)) === ring).length
    return left + own - seatsOf(ring, own, mark, size).length
  }, 0)
}

/** Places for `wanted` peers of a kind, at most as many as there is room for; clockwise, the outermost ring first. */
function seatsOf(
  ring: Ring,
  wanted: number,
  mark: number,
  { width, height }: { width: number; height: number },
): { x: number; y: number }[] {
  const [from, to] = BANDS[ring]
  const [a, b] = [Math.max(60, width / 2 - EDGE.x), Math.max(60, height / 2 - EDGE.y)]
  const space = mark * 2 * (mark === MARKS[0] ? GAP_WITH_NAMES : GAP)
  const rings: { far: number; room: number }[] = []
  // In height the ellipse is narrow: rings keep apart there.
  for (let far = to; far >= from - 0.001; far -= (mark * 2.4) / b) {
    rings.push({ far, room: Math.floor(lengthOf(far * a, far * b) / space) })
  }
  const used: typeof rings = []
  let room = 0
  for (const one of rings) {
    if (room >= wanted && used.length > 0) break
    used.push(one)
    room += one.room
  }
  const all = Math.min(wanted, room)
  let given = 0
  return used.flatMap(({ far, room: own }, index) => {
    const share = index === used.length - 1 ? all - given : Math.min(own, Math.round((all * own) / room))
    given += share
    // Relayed peers stand between the direct ones, so that no line runs along another.
    return pointsOn(far * a, far * b, share, (index + Number(ring === 'relayed')) % 2)
  })
}

/** The length of an ellipse, within a thousandth (Ramanujan). */
function lengthOf(a: number, b: number): number {
  return Math.PI * (3 * (a + b) - Math.sqrt((3 * a + b) * (a + 3 * b)))
}

const STEPS = 360

/** Points at the same distance from each other on an ellipse, from its right end on; every other ring is turned by half a step. */
function pointsOn(a: number, b: number, count: number, turned: number): { x: number; y: number }[] {
  const at = (step: number) => {
    const angle = (step / STEPS) * 2 * Math.PI
    return { x: Math.cos(angle) * a, y: Math.sin(angle) * b }
  }
  const lengths = [0]
  for (let step = 1; step <= STEPS; step += 1) {
    const [before, now] = [at(step - 1), at(step)]
    lengths.push((lengths[step - 1] ?? 0) + Math.hypot(now.x - before.x, now.y - before.y))
  }
  const whole = lengths[STEPS] ?? 1
  return Array.from({ length: count }, (_, index) => {
    const wanted = (((index + turned / 2) / count) % 1) * whole
    const { x, y } = at(lengths.findIndex((length) => length >= wanted))
    return { x: round(x), y: round(y) }
  })
}

/** Peers of one relay side by side, in the order in which their relays stand around the middle. */
function besideTheirRelay(peers: readonly PeerView[], placed: readonly PlacedPeer[]): PeerView[] {
  const turns = new Map(placed.map(({ peerId, x, y }) => [peerId, (Math.atan2(y, x) + 2 * Math.PI) % (2 * Math.PI)]))
  const turnOf = ({ relays = [] }: PeerView): number =>
    relays.map((id) => turns.get(id)).find((turn) => turn !== undefined) ?? Infinity
  return peers.toSorted((one, other) => turnOf(one) - turnOf(other) || (one.peerId < other.peerId ? -1 : 1))
}

function lineTo(peer: PeerView, places: ReadonlyMap<string, PlacedPeer>): Line[] {
  const place = places.get(peer.peerId)
  const kind = lineKind(peer)
  if (place === undefined || kind === 'known') return []
  const relay =
    kind === 'relayed' ? (peer.relays ?? []).map((id) => places.get(id)).find((one) => one !== undefined) : undefined
  return [{ key: peer.peerId, kind, x1: relay?.x ?? 0, y1: relay?.y ?? 0, x2: place.x, y2: place.y }]
}

const round = (value: number): number => Math.round(value * 10) / 10
