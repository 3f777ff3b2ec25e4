import type { PathKind } from './contract/network/peers.js'

/** The kinds of path, best first: direct before hole-punched before relayed, and QUIC before TCP before WebSocket. */
export const PATHS_BEST_FIRST: readonly PathKind[] = [
  'direct-quic',
  'direct-tcp',
  'direct-ws',
  'hole-punched',
  'relayed',
]

/** The kinds of path as they stand in a sentence outside the dashboard. */
export const PATH_WORDS: Readonly<Record<PathKind, string>> = {
  'direct-quic': 'direct over QUIC',
  'direct-tcp': 'direct over TCP',
  'direct-ws': 'direct over WebSocket',
  'hole-punched': 'direct, hole-punched',
  relayed: 'relayed',
}

/** Compares two kinds of path for `sort`: negative when `a` is better. */
export function comparePaths(a: PathKind, b: PathKind): number {
  return PATHS_BEST_FIRST.indexOf(a) - PATHS_BEST_FIRST.indexOf(b)
}
