// For libp2p 3.3.11: it copies its list of connections once for each peer whenever all are asked for. Goes when
// `getConnections()` takes one step a connection.

import type { Connection, PeerId } from '@libp2p/interface'

/** What is used of libp2p's connection manager (3.3.11). */
interface ConnectionLists {
  getConnections(peerId?: PeerId): Connection[]
  getConnectionsMap(): { values(): Iterable<Connection[]> }
}

/**
 * Makes the list of all connections cost one step a connection. The library copies what it has so far for each peer
 * (2.7 ms at 2,000 peers, measured), and it makes that list for every connection that comes in, several times.
 */
export function flattenConnections(manager: ConnectionLists): ConnectionLists {
  const ofPeer = manager.getConnections.bind(manager)
  manager.getConnections = (peerId) =>
    peerId === undefined ? [...manager.getConnectionsMap().values()].flat() : ofPeer(peerId)
  return manager
}
