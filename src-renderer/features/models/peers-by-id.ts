import type { PeerView } from '#shared/contract/peers.js'

/** Peers by their id. */
export function peersById(peers: readonly PeerView[]): ReadonlyMap<string, PeerView> {
  return new Map(peers.map((peer) => [peer.peerId, peer]))
}
