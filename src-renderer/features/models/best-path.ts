import type { ModelView } from '#shared/contract/models.js'
import type { PathKind, PeerView } from '#shared/contract/peers.js'

/** How a model is reached at best. `here`: a server of this computer. `none`: no provider is connected. */
export type BestPath = { kind: 'here' } | { kind: 'none' } | { kind: 'peer'; path: PathKind; rttMs: number | undefined }

const ORDER: readonly PathKind[] = ['direct-quic', 'direct-tcp', 'direct-ws', 'hole-punched', 'relayed']

/** Best first, for a list that is sorted by it. */
export function placeOf(best: BestPath): number {
  if (best.kind === 'here') return -1
  return best.kind === 'none' ? ORDER.length : ORDER.indexOf(best.path)
}

/** The best path to any provider of a model: this computer, else the best kind, and of these the quickest. */
export function bestPath(model: ModelView, peers: ReadonlyMap<string, PeerView>): BestPath {
  if (model.local) return { kind: 'here' }
  const ways = model.providers.flatMap(({ peerId }) => {
    const peer = peers.get(peerId)
    const [path] = peer?.paths ?? []
    return path === undefined ? [] : [{ kind: 'peer' as const, path, rttMs: peer?.rttMs }]
  })
  ways.sort((a, b) => ORDER.indexOf(a.path) - ORDER.indexOf(b.path) || (a.rttMs ?? Infinity) - (b.rttMs ?? Infinity))
  return ways[0] ?? { kind: 'none' }
}

/** Peers by their id. */
export function peersById(peers: readonly PeerView[]): ReadonlyMap<string, PeerView> {
  return new Map(peers.map((peer) => [peer.peerId, peer]))
}
