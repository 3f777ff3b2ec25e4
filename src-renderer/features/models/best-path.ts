import type { ModelView } from '#shared/contract/models/models.js'
import type { PathKind, PeerView } from '#shared/contract/network/peers.js'
import { comparePaths, PATHS_BEST_FIRST } from '#shared/path-order.js'

/** How a model is reached at best. `here`: a server of this computer. `none`: no provider is connected. */
export type BestPath = { kind: 'here' } | { kind: 'none' } | { kind: 'peer'; path: PathKind; rttMs: number | undefined }

/** The rank of a path in a sorted list; the best is the lowest. */
export function rankOf(best: BestPath): number {
  if (best.kind === 'here') return -1
  return best.kind === 'none' ? PATHS_BEST_FIRST.length : PATHS_BEST_FIRST.indexOf(best.path)
}

/** The best path to any provider of a model: this computer, else the best kind, and of these the quickest. */
export function bestPath(model: ModelView, peers: ReadonlyMap<string, PeerView>): BestPath {
  if (model.local) return { kind: 'here' }
  const paths = model.providers.flatMap(({ peerId }) => {
    const peer = peers.get(peerId)
    const [path] = peer?.paths ?? []
    return path === undefined ? [] : [{ kind: 'peer' as const, path, rttMs: peer?.rttMs }]
  })
  paths.sort((a, b) => comparePaths(a.path, b.path) || (a.rttMs ?? Infinity) - (b.rttMs ?? Infinity))
  return paths[0] ?? { kind: 'none' }
}
