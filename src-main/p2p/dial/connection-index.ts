import type { Connection, Libp2p } from '@libp2p/interface'

/** The open connections by the peer id's text: asking costs no decoding of a peer id, and no walk over all of them. */
export interface ConnectionIndex {
  has(peerId: string): boolean
  of(peerId: string): readonly Connection[]
}

/** Kept by libp2p's events; to be called before it starts. */
export function indexConnections(libp2p: Libp2p): ConnectionIndex {
  const byPeer = new Map<string, Connection[]>()
  libp2p.addEventListener('connection:open', ({ detail }: CustomEvent<Connection>) => {
    if (detail.status !== 'open') return
    const peerId = detail.remotePeer.toString()
    byPeer.set(peerId, [...(byPeer.get(peerId) ?? []), detail])
  })
  libp2p.addEventListener('connection:close', ({ detail }: CustomEvent<Connection>) => {
    const peerId = detail.remotePeer.toString()
    const left = (byPeer.get(peerId) ?? []).filter((connection) => connection !== detail)
    if (left.length > 0) byPeer.set(peerId, left)
    else byPeer.delete(peerId)
  })
  return { has: (peerId) => byPeer.has(peerId), of: (peerId) => byPeer.get(peerId) ?? [] }
}
