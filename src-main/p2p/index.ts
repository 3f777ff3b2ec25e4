import type { GossipSub } from '@libp2p/gossipsub'
import type { Connection, Libp2p, Metrics, PeerId, PrivateKey } from '@libp2p/interface'
import type { PathKind } from '#shared/contract/network/peers.js'
import type { DataFolder } from '../base/data-folder.js'
import type { Service } from '../base/lifecycle.js'
import type { Log } from '../logging/index.js'
import type { ConnectionRoomOptions } from './hardening/connection-limits/connection-room.js'
import type { InboundGateOptions } from './hardening/connection-limits/inbound-gate.js'
import type { LivenessWatch } from './hardening/liveness/liveness-watch.js'
import type { StreamRule } from './hardening/stream-bounds/stream-rules.js'
import type { LanPeer } from './reach/lan-peers.js'
import type { SeenFromOutside } from './reach/own-addresses.js'
import type { RelayOptions } from './reach/relay/relay-server.js'
import type { GatewayTimes } from './reach/upnp/gateway-control.js'
import type { GatewayProblem } from './reach/upnp/gateway-problem.js'
import type { PortMappingFacts } from './reach/upnp/port-mapping.js'

/** How far a node reaches: nothing by itself, other nodes of this machine, or the network. */
export type NetworkMode = 'standalone' | 'local' | 'node'

/** The gossipsub service of the host. */
export type PubSub = GossipSub

/** One live connection. */
export interface PeerConnection {
  peerId: string
  multiaddr: string
  path: PathKind
  direction: 'inbound' | 'outbound'
  openedAtMs: number
  /** The relay it runs through; undefined while it is direct. */
  relayPeerId?: string
  /** Milliseconds of its last ping; undefined before the first one is back. */
  rttMs?: number
  /** Bytes and seconds the relay still grants, where it told. */
  relayBudget?: { bytes: number | undefined; seconds: number | undefined }
}

/** What a host knows about how it can be reached. */
export interface ReachFacts {
  /** False where only this machine or the ones dialled by hand are met: nothing below is tried then. */
  isWide: boolean
  /** Every address this node listens on, announced or not. */
  listening: string[]
  announced: string[]
  seen: SeenFromOutside
  portMapping: PortMappingFacts
  lanDiscovery: boolean
  privateNetwork: boolean
  /** Relays this node has a reservation at, and until when (Unix milliseconds) unless it is renewed. */
  relays: { peerId: string; untilMs: number | undefined }[]
  relayServer: {
    serving: boolean
    reservations: number
    maxReservations: number
    usedBytes: number
    hourlyBytes: number
  }
  dht: { name: 'wan' | 'lan'; mode: 'client' | 'server'; peers: number }[]
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
  /** The connections to that peer; cheap enough to ask for every row of a table. */
  connectionsTo(peerId: string): readonly Connection[]
  /** How this node can be reached, as far as it knows. Absent from hosts of tests. */
  reach?(): ReachFacts
  /** Cuts connections in use whose other end is gone. Absent from hosts of tests. */
  readonly liveness?: LivenessWatch
  /**
   * Addresses that a person named, or that have worked before: they are dialled wherever they lead. Of others only what
   * `dial/dial-policy.ts` lets pass. Absent from hosts of tests.
   */
  nameAddresses?(addresses: readonly string[]): void
  /** The local networks of this machine. Absent from hosts of tests. */
  readonly lan?: LocalNetwork
  /** Calls `listener` when the round trip of a new connection is known; returns the way to stop. */
  onMeasured?(listener: () => void): () => void
  /** Asks peers again whether they can dial this node; the answers are in {@link Host.reach}. */
  askReach?(signal: AbortSignal): Promise<void>
}

/** What is near this machine. */
export interface LocalNetwork {
  /** Whether an IP address is in a network of this machine's interfaces; loopback is one. */
  isNear(host: string): boolean
  /** The nodes that multicast DNS told of in the last minutes; this node may be among them. */
  peers(): LanPeer[]
  /** Calls `listener` after each change of {@link LocalNetwork.peers}; returns the way to stop. */
  onChanged(listener: () => void): () => void
}

/** Who this node is: the Ed25519 key behind its peer id. */
export interface Identity {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  /** True when it came from the setting `seed` (demos and tests) and is not kept on disk. */
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
  /** What this node relays for others; see {@link RelayOptions}. Left out: `auto` with its defaults. */
  relay?: RelayOptions
  /** Asks the router to open this node's ports. Never where the host is not wide. Default: true. */
  upnp?: boolean
  /** How many connections it keeps, and of whom; left out: `limits.ts`. */
  connections?: ConnectionRoomOptions
  /** What it takes in; left out: `INBOUND_GATE`. */
  gate?: InboundGateOptions
  /** Descriptors for each of these; where they are fewer than what the other options say, they count. */
  descriptors?: { peers: number; handshakes: number; dials: number }
  /** How often routers are asked, and how long they may take. Left out: as home routers bear it. */
  upnpTimes?: Partial<GatewayTimes>
  /** Finds nodes of the local network by multicast. Never where the host is not wide. Default: true. */
  mdns?: boolean
  /** Topics of gossip besides the node table's; their messages are signed. Default: none. */
  signedTopics?: readonly string[]
  /** What peers may send on the streams of protocols that are handled beside the host's own. Default: none. */
  streamRules?: readonly StreamRule[]
  /** The key file of a private network, or '': then only peers with the same key can connect. */
  swarmKeyFile?: string
}

export type { GatewayProblem, RelayOptions, StreamRule }
export { createConnector } from './dial/connect.js'
export { bestConnection } from './dial/dial-order.js'
export { addressGroup, hostOf, ipv6Network, relayOf, type Scope, scopeOf, sourceOfHost } from './dial/ip-scope.js'
export { countPaths, peerPath, remoteIps, roundTripMs } from './dial/peer-path.js'
export { FrameReader } from './hardening/stream-bounds/frame-reader.js'
export { PeerBudget } from './hardening/stream-bounds/peer-budget.js'
export { deadPeerBehind, DeadPeerError } from './hardening/liveness/dead-peer.js'
export { dropDeadConnections } from './hardening/liveness/pings.js'
export { TABLE_TOPIC } from './host/gossip-scores.js'
export { createHost, createPathLookup, type PathLookup } from './host/host.js'
export { bindableHosts, bindError, freePort } from './host/listen-addresses.js'
export { readSwarmKey } from './host/swarm-key.js'
export { boundAcceptedSockets } from './http/accepted-sockets.js'
export { assertPeerId, createPeerClients, type PeerClients, PeerUnreachableError } from './http/peer-clients.js'
export { createPeerListener, type PeerListener } from './http/peer-listener.js'
export { requestSource } from './http/request-source.js'
export { followResponses } from './http/running-responses.js'
export { connectionUnder, writeAtOnce } from './http/stream-duplex.js'
export { acceptUpgrades, HandshakeResponse, isWebSocketHandshake } from './http/upgrades.js'
export { type BackedUpPeople, createIdentityKeeper, type IdentityKeeper } from './identity/identity-keeper.js'
export { loadIdentity } from './identity/identity.js'
