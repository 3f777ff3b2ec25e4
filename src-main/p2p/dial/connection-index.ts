import type { Connection, Libp2p } from '@libp2p/interface'

/** The open connections by the peer id's text: asking costs no decoding of a peer id, and no walk over all of them. */
export interface ConnectionIndex {
  /** Whether one of them is open: those that close are in the list until libp2p says that they have. */
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
  const has = (peerId: string): boolean => byPeer.get(peerId)?.some(({ status }) => status === 'open') === true
  return { has, of: (peerId) => byPeer.get(peerId) ?? [] }
}
