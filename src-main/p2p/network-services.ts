import type { ServiceFactoryMap } from 'libp2p'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, identifyPush, type Identify, type IdentifyPush } from '@libp2p/identify'
import type { ServiceMap } from '@libp2p/interface'
import { kadDHT, removePrivateAddressesMapper, removePublicAddressesMapper, type KadDHT } from '@libp2p/kad-dht'
import { ping, type Ping } from '@libp2p/ping'
import type { NetworkMode } from './index.js'

/** The libp2p services every host has; the DHTs only where the mode looks beyond this machine. */
export interface NetworkServices extends ServiceMap {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  pubsub: GossipSub
  wanDht?: KadDHT
  lanDht?: KadDHT
}

/** Factories of the services for a mode. A node with a public address serves the wide-area DHT from the start. */
export function networkServices(options: {
  mode: NetworkMode
  hasPublicAddress: boolean
}): ServiceFactoryMap<NetworkServices> {
  const services: ServiceFactoryMap<NetworkServices> = {
    identify: identify(),
    identifyPush: identifyPush(),
    ping: ping({ maxInboundStreams: 256, maxOutboundStreams: 256 }),
    pubsub: gossipsub({
      D: 6,
      Dlo: 4,
      Dhi: 12,
      heartbeatInterval: 1000,
      floodPublish: true,
      allowPublishToZeroTopicPeers: true,
      // Otherwise more than ten peers behind one address are graylisted, and nothing reaches them.
      scoreParams: { IPColocationFactorWeight: 0 },
      // Rows of the node table carry their owner's signature; a second one would be 90 bytes a message.
      globalSignaturePolicy: 'StrictNoSign',
    }),
  }
  if (options.mode === 'standalone') return services
  services.lanDht = kadDHT({
    protocol: '/ocf/lan/kad/1.0.0',
    logPrefix: 'lan-dht',
    datastorePrefix: '/dht-lan',
    metricsPrefix: 'lan_dht',
    peerInfoMapper: removePublicAddressesMapper,
    clientMode: false,
  })
  if (options.mode === 'local') return services
  services.wanDht = kadDHT({
    protocol: '/ocf/kad/1.0.0',
    logPrefix: 'wan-dht',
    datastorePrefix: '/dht-wan',
    metricsPrefix: 'wan_dht',
    peerInfoMapper: removePrivateAddressesMapper,
    // Left out, it starts as a client and serves once libp2p finds that this node has a public address.
    ...(options.hasPublicAddress ? { clientMode: false } : {}),
  })
  return services
}
