import type { Libp2p, Metrics, PeerId, PrivateKey } from '@libp2p/interface'
import type { PubSub } from './pubsub.js'
import type { DataFolder } from '../data-folder.js'
import type { Service } from '../lifecycle.js'
import type { Log } from '../logging/index.js'

/** How a connection to a peer runs; a fact the person sees. Hole-punched and relayed paths come with NAT traversal. */
export type PathKind = 'direct-tcp' | 'direct-ws' | 'direct-quic' | 'relayed'

/** How far a node reaches: nothing by itself, other nodes of this machine, or the network. */
export type NetworkMode = 'standalone' | 'local' | 'node'

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

/** What a host is made of. */
export interface HostNeeds {
  identity: Identity
  log: Log
  dataFolder: DataFolder
  /** What libp2p counts itself is reported here; absent: nowhere. */
  metrics?: Metrics
}

/** Options of {@link Host}; the ports take 0 for any free one. */
export interface HostOptions {
  mode: NetworkMode
  tcpPort: number
  wsPort: number
  udpPort: number
  /** IP addresses to listen on. IPv6 ones that this machine does not have are left out. */
  listenHosts: readonly string[]
  /** An address others reach this node at (see `parsePublicAddress`), or ''. With one, it serves the DHT. */
  publicAddr: string
  /** This program's version, told to peers as `ocf/<version>`. */
  version: string
}

export { createHost } from './host.js'
