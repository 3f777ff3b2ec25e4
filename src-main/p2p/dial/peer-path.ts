import type { PathKind } from '#shared/contract/network/peers.js'
import { PATHS_BEST_FIRST } from '#shared/path-order.js'
import type { PeerConnection, Host } from '../index.js'
import { hostOf, relayOf } from './ip-scope.js'

/** How a peer is connected, from its open connections. */
export interface PeerPath {
  /** Each kind once, best first; empty while it is not connected. */
  paths: PathKind[]
  /** The relays it is reached through, by peer id; empty while a direct connection is open. */
  relays: string[]
  /** Milliseconds as measured here over the fastest connection, to a tenth, so that noise alone makes no news. */
  rttMs: number | undefined
}

/** The path to the peer that these connections lead to. */
export function peerPath(open: readonly PeerConnection[]): PeerPath {
  const times = open.flatMap(({ rttMs }) => (rttMs === undefined ? [] : [rttMs]))
  return {
    paths: PATHS_BEST_FIRST.filter((kind) => open.some(({ path }) => path === kind)),
    relays: open.every(({ path }) => path === 'relayed')
      ? [...new Set(open.flatMap(({ relayPeerId }) => relayPeerId ?? []))]
      : [],
    rttMs: times.length === 0 ? undefined : Math.round(Math.min(...times) * 10) / 10,
  }
}

/** How many peers are connected in which way, each counted by its best path; best first, none left out but the empty. */
export function countPaths(open: readonly PeerConnection[]): { path: PathKind; peers: number }[] {
  const peers = [...Map.groupBy(open, ({ peerId }) => peerId).values()].map((list) => peerPath(list).paths[0])
  return PATHS_BEST_FIRST.map((path) => ({ path, peers: peers.filter((best) => best === path).length })).filter(
    (entry) => entry.peers > 0,
  )
}

/** Milliseconds of the fastest connection's last ping to a peer (see `round-trips.ts`); undefined before the first. */
export function roundTripMs(host: Host, peerId: string): number | undefined {
  const times = host.connectionsTo(peerId).flatMap(({ rtt }) => (rtt === undefined ? [] : [rtt]))
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The IP addresses (or host names) a connected peer talks to us from; empty when it is relayed or gone. */
export function remoteIps(host: Host, peerId: string): string[] {
  return host.connectionsTo(peerId).flatMap(({ remoteAddr }) => {
    const text = remoteAddr.toString()
    return relayOf(text) === undefined ? [hostOf(text)] : []
  })
}
