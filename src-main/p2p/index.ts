import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import type { PubSub } from './pubsub.js'
import type { Service } from '../lifecycle.js'

/** How a connection to a peer runs; a fact the person sees. Hole-punched and relayed paths come with NAT traversal. */
export type PathKind = 'direct-tcp' | 'direct-ws' | 'direct-quic' | 'relayed'

/** One live connection. */
export interface PeerConnection {
  peerId: string
  multiaddr: string
  path: PathKind
  direction: 'inbound' | 'outbound'
  openedAtMs: number
}

/** This node's libp2p host. Everything but `peerId` and `identity` may be used only while it is started. */
export interface Host extends Service {
  readonly peerId: string
  readonly identity: Identity
  readonly libp2p: Libp2p
  readonly pubsub: PubSub
  /** Addresses others can dial, each with `/p2p/<peerId>`. */
  multiaddrs(): string[]
  /** One entry per live connection. */
  connections(): PeerConnection[]
  /** True while at least one connection to that peer is open. */
  isConnected(peerId: string): boolean
}

/** Who this node is: the Ed25519 key behind its peer id. */
export interface Identity {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  /** True when it came from `--seed` (demos and tests) and is not kept on disk. */
  readonly seeded: boolean
}
