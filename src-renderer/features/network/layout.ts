import type { PathKind, PeerView } from '#shared/contract/network/peers.js'

/** Of what kind the line to a peer is. */
export type LineKind = 'direct' | 'punched' | 'relayed' | 'known'

/** A peer with its place in the picture; this node is at 0, 0. */
interface PlacedPeer {
  peerId: string
  x: number
  y: number
  kind: LineKind
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
  /** Peers that have no room in the picture. */
  left: number
}

/** More than these a picture can't tell apart. */
export const MAX_PLACED = 72

/** How far from the middle each kind stands; the picture reaches from -420 to 420 and from -210 to 210. */
const RINGS: Readonly<Record<LineKind, number>> = { direct: 0.5, punched: 0.62, relayed: 0.8, known: 0.97 }
const RADIUS_X = 400
const RADIUS_Y = 190

/** The kind of the best path to a peer. */
function lineKind(peer: Pick<PeerView, 'paths'>): LineKind {
  const [best] = peer.paths
  return best === undefined ? 'known' : KINDS[best]
}

const KINDS: Readonly<Record<PathKind, LineKind>> = {
  'direct-quic': 'direct',
  'direct-tcp': 'direct',
  'direct-ws': 'direct',
  'hole-punched': 'punched',
  relayed: 'relayed',
}

/**
 * Direct peers near, relayed ones further out beside their relay, unconnected ones at the edge. A peer keeps its place
 * while the same peers are there, for its angle depends on the order of the ids and on nothing that changes.
 */
export function layoutNetwork(peers: readonly PeerView[]): NetworkLayout {
  const ranked = peers.toSorted(
    (a, b) => ORDER.indexOf(lineKind(a)) - ORDER.indexOf(lineKind(b)) || (a.peerId < b.peerId ? -1 : 1),
  )
  const shown = ranked.slice(0, MAX_PLACED)
  const angles = new Map<string, number>()
  const inner = shown.filter((peer) => isInner(lineKind(peer)))
  for (const [index, peer] of inner.entries()) angles.set(peer.peerId, (index / inner.length) * TURN)
  for (const kind of ['relayed', 'known'] as const) {
    const ring = shown.filter((peer) => lineKind(peer) === kind)
    for (const [index, peer] of ring.entries()) angles.set(peer.peerId, outerAngle(peer, index, ring, angles))
  }

  const placed = shown.map((peer): PlacedPeer => {
    const kind = lineKind(peer)
    const angle = angles.get(peer.peerId) ?? 0
    const far = RINGS[kind]
    return {
      peerId: peer.peerId,
      kind,
      x: round(Math.cos(angle) * far * RADIUS_X),
      y: round(Math.sin(angle) * far * RADIUS_Y),
    }
  })
  const places = new Map(placed.map((peer) => [peer.peerId, peer]))
  const lines = shown.flatMap((peer) => lineTo(peer, places))
  return { peers: placed, lines, left: ranked.length - shown.length }
}

const ORDER: readonly LineKind[] = ['direct', 'punched', 'relayed', 'known']
const TURN = 2 * Math.PI
const isInner = (kind: LineKind): boolean => kind === 'direct' || kind === 'punched'
const round = (value: number): number => Math.round(value * 10) / 10

/** Peers behind one relay stand side by side outside of it; the others share the ring evenly. */
function outerAngle(
  peer: PeerView,
  index: number,
  ring: readonly PeerView[],
  angles: ReadonlyMap<string, number>,
): number {
  const relay = (peer.relays ?? []).find((id) => angles.has(id))
  if (relay === undefined) return (index / ring.length) * TURN + TURN / 24
  const beside = ring.filter((other) => other.relays?.includes(relay) === true)
  const spread = Math.min(TURN / 16, TURN / 3 / beside.length)
  return (angles.get(relay) ?? 0) + (beside.indexOf(peer) - (beside.length - 1) / 2) * spread
}

function lineTo(peer: PeerView, places: ReadonlyMap<string, PlacedPeer>): Line[] {
  const place = places.get(peer.peerId)
  const kind = lineKind(peer)
  if (place === undefined || kind === 'known') return []
  const relay =
    kind === 'relayed' ? (peer.relays ?? []).map((id) => places.get(id)).find((one) => one !== undefined) : undefined
  return [{ key: peer.peerId, kind, x1: relay?.x ?? 0, y1: relay?.y ?? 0, x2: place.x, y2: place.y }]
}
