import type { AutoNATComponents } from '@libp2p/autonat'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, identifyPush, type Identify, type IdentifyPush } from '@libp2p/identify'
import { type DialTarget, isPeerId, type PeerInfo, type ServiceMap } from '@libp2p/interface'
import {
  type KadDHT,
  type KadDHTComponents,
  type KadDHTInit,
  removePrivateAddressesMapper,
  removePublicAddressesMapper,
} from '@libp2p/kad-dht'
import type { Ping } from '@libp2p/ping'
import type { ServiceFactoryMap } from 'libp2p'
import type { Log } from '../../logging/index.js'
import { kadRule } from '../hardening/dht/kad-rules.js'
import { quietDht } from '../hardening/dht/quiet-dht.js'
import { flattenConnections } from '../hardening/flat-connections.js'
import { gossipLimits, gossipRule, splitRpcs } from '../hardening/gossip/gossip-bounds.js'
import { signatureOptions, signOnly } from '../hardening/gossip/signed-topics.js'
import { pings } from '../hardening/liveness/pings.js'
import { boundPeerStore } from '../hardening/peer-store/bounded-peer-store.js'
import { identifyRules } from '../hardening/peer-store/identify-rules.js'
import type { ExpelledPeers } from '../hardening/stream-bounds/expelled-peers.js'
import { boundStreams, type StreamRule } from '../hardening/stream-bounds/stream-rules.js'
import type { NetworkMode } from '../index.js'
import { autoNatService } from '../reach/auto-nat.js'
import { holePunching, type PunchWatch } from '../reach/hole-punching.js'
import { override } from '../reach/override.js'
import type { RelayQuota } from '../reach/relay/relay-quota.js'
import { relayServer, type RelayOptions, type RelayServer } from '../reach/relay/relay-server.js'
import { portMapping, type PortMapping, type PortMappingOptions } from '../reach/upnp/port-mapping.js'
import { GOSSIP_SCORES, TABLE_TOPIC } from './gossip-scores.js'

/** The libp2p services every host has; the wide-area DHT not in the mode local. */
export interface NetworkServices extends ServiceMap {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  pubsub: GossipSub
  wanDht?: KadDHT
  lanDht?: KadDHT
  /** This node's addresses and what is known of each: libp2p shows only those it believes in. */
  ownAddresses: { manager: AutoNATComponents['addressManager'] }
  relay?: RelayServer
  autoNat?: unknown
  holePunching?: unknown
  portMapping?: PortMapping
}

/** What decides which services a host has. */
export interface NetworkServicesOptions {
  mode: NetworkMode
  hasPublicAddress: boolean
  /** True where other machines can be met: a node of the network that does not only listen on loopback. */
  isWide: boolean
  relay: RelayOptions
  quota: RelayQuota
  punches: PunchWatch
  expelled: ExpelledPeers
  /** True for an address that did not work: it is neither taken from the DHT nor passed on. */
  isPaused(address: string): boolean
  log: Log
  /** How routers are asked to open ports; undefined: not at all. */
  portMapping: PortMappingOptions | undefined
  /** Topics besides the node table's, whose messages are signed. */
  signedTopics: readonly string[]
  /** What streams of further protocols are held to. */
  streamRules: readonly StreamRule[]
}

const WAN_DHT = '/ocf/kad/1.0.0'
const LAN_DHT = '/ocf/lan/kad/1.0.0'

/** A DHT that answers everybody and asks only peers that are connected anyway. */
function onlyAmongConnected(factory: (components: KadDHTComponents) => KadDHT): typeof factory {
  return (components) => {
    const { connectionManager, ping } = components
    const assertConnected = (peer: DialTarget): void => {
      if (isPeerId(peer) && connectionManager.getConnections(peer).length > 0) return
      throw new Error('a standalone node dials nobody')
    }
    const open: Pick<typeof connectionManager, 'openStream'> = {
      async openStream(peer, protocol, options) {
        assertConnected(peer)
        return await connectionManager.openStream(peer, protocol, options)
      },
    }
    // Whoever is to be kept in the routing table is pinged first.
    const connectedPing: Pick<typeof ping, 'ping'> = {
      async ping(peer, options) {
        assertConnected(peer)
        return await ping.ping(peer, options)
      },
    }
    return factory(
      override(components, {
        connectionManager: override(connectionManager, open),
        ping: override(ping, connectedPing),
      }),
    )
  }
}

/** Factories of the services for a mode. A node with a public address serves the wide-area DHT from the start. */
export function networkServices(options: NetworkServicesOptions): ServiceFactoryMap<NetworkServices> {
  const services: ServiceFactoryMap<NetworkServices> = {
    // First, as the others write to the peer store when they are made.
    bounds: (components) => {
      boundPeerStore(components)
      const rules = [gossipRule(), ...identifyRules(), ...[WAN_DHT, LAN_DHT].map(kadRule), ...options.streamRules]
      boundStreams(components, rules, options.expelled)
      return options.expelled
    },
    ownAddresses: ({ addressManager }) => ({ manager: addressManager }),
    identify: identify(),
    identifyPush: identifyPush(),
    flatConnections: ({ connectionManager }) => flattenConnections(connectionManager),
    ping: pings(),
    pubsub: tableGossip(options.signedTopics),
  }
  const withoutPaused =
    (mapper: (peer: PeerInfo) => PeerInfo) =>
    (peer: PeerInfo): PeerInfo => {
      const { id, multiaddrs } = mapper(peer)
      return { id, multiaddrs: multiaddrs.filter((address) => !options.isPaused(address.toString())) }
    }
  // Whoever came to a standalone node finds the others who did; the node itself goes to none of them.
  const isHub = options.mode === 'standalone'
  const dht = (init: KadDHTInit) => (isHub ? onlyAmongConnected(quietDht(init)) : quietDht(init))
  services.lanDht = dht({
    protocol: LAN_DHT,
    logPrefix: 'lan-dht',
    datastorePrefix: '/dht-lan',
    metricsPrefix: 'lan_dht',
    peerInfoMapper: withoutPaused(removePublicAddressesMapper),
    clientMode: false,
  })
  if (options.mode === 'local') return services
  services.wanDht = dht({
    protocol: WAN_DHT,
    logPrefix: 'wan-dht',
    datastorePrefix: '/dht-wan',
    metricsPrefix: 'wan_dht',
    peerInfoMapper: withoutPaused(removePrivateAddressesMapper),
    // Left out, it starts as a client and serves once libp2p finds that this node has a public address.
    ...(options.hasPublicAddress || isHub ? { clientMode: false } : {}),
  })
  if (!isHub) services.holePunching = holePunching(options)
  if (options.relay.mode !== 'off') {
    services.relay = relayServer(options, { ...options.relay, hasPublicAddress: options.hasPublicAddress })
  }
  if (!options.isWide) return services
  services.autoNat = autoNatService()
  if (options.portMapping !== undefined) services.portMapping = portMapping({ log: options.log }, options.portMapping)
  return services
}

/** The peers that the table's gossip goes to and comes from; the library tells them only on its class. */
export function meshPeers(pubsub: GossipSub): string[] {
  return (pubsub as GossipSub & { getMeshPeers(topic: string): string[] }).getMeshPeers(TABLE_TOPIC)
}

/** Gossipsub for the node table, and for these topics beside it. */
function tableGossip(signedTopics: readonly string[]): ServiceFactoryMap<NetworkServices>['pubsub'] {
  const start = gossipsub({
    D: 6,
    Dlo: 4,
    Dhi: 12,
    // Each heartbeat tells so many peers outside the mesh what there was to have in the last two: with the defaults
    // (6 and 3), a third of what a new row costs. What is still missed comes by a sync.
    Dlazy: 3,
    mcacheGossip: 2,
    heartbeatInterval: 1000,
    floodPublish: true,
    allowPublishToZeroTopicPeers: true,
    // Of a peer that does not read: its stream is reset then. The library would keep everything for it.
    maxOutboundBufferSize: 4 * 1024 * 1024,
    ...GOSSIP_SCORES,
    ...gossipLimits([TABLE_TOPIC, ...signedTopics]),
    // Rows of the node table carry their owner's signature; a second one would be 90 bytes a message.
    ...signatureOptions(signedTopics),
  })
  return (components) => signOnly(splitRpcs(start(components)), signedTopics)
}
