import { createLibp2p } from 'libp2p'
import { quic } from '@chainsafe/libp2p-quic'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import { AppError } from '#shared/errors.js'
import type { Log } from '../logging/index.js'
import { libp2pLogger } from '../logging/libp2p-logger.js'
import { announceAddresses, parsePublicAddress, type PublicAddress } from './announce.js'
import { pathKind } from './connection-path.js'
import { createDiscoveryDialer } from './discovery-dialer.js'
import type { Host, HostNeeds, HostOptions } from './index.js'
import { CONNECTION_MANAGER, CONNECTION_MONITOR, QUIC_OPTIONS, TCP_OPTIONS, YAMUX_OPTIONS } from './limits.js'
import { bindableHosts, freePort, listenAddresses, type ListenAddress, type PortOptions } from './listen-addresses.js'
import { listenError } from './listen-error.js'
import { networkServices, type NetworkServices } from './network-services.js'
import { openPeerDatastore } from './peer-datastore.js'
import { tunings } from './transport-tuning/index.js'
import { tunedTransport } from './transport-tuning/intercept-upgrade.js'

/** What runs while the host is started. */
interface Running {
  libp2p: Libp2p<NetworkServices>
  stop(): Promise<void>
}

/**
 * This node's libp2p host: TCP, WebSocket and QUIC listening together, gossipsub, and two DHTs of our own unless the
 * mode is standalone. `start` throws `port_in_use` and `invalid_settings` (a public address that is none).
 */
export function createHost(needs: HostNeeds, options: HostOptions): Host {
  const log = needs.log.forComponent('p2p')
  const { identity } = needs
  let running: Running | undefined
  let stopping: Promise<void> | undefined

  const started = (): Running => {
    if (running === undefined) throw new AppError('node_not_running', 'The network of this node is not started.')
    return running
  }

  return {
    name: 'p2p',
    identity,
    peerId: identity.peerId.toString(),
    get libp2p() {
      return started().libp2p
    },
    get pubsub() {
      return started().libp2p.services.pubsub
    },
    multiaddrs: () => started().libp2p.getMultiaddrs().map(String),
    connections: () =>
      started()
        .libp2p.getConnections()
        .map((connection) => ({
          peerId: connection.remotePeer.toString(),
          multiaddr: connection.remoteAddr.toString(),
          path: pathKind(connection.remoteAddr.toString(), connection.limits),
          direction: connection.direction,
          openedAtMs: connection.timeline.open,
        })),
    isConnected: (peerId) => started().libp2p.getConnections(peerIdFromString(peerId)).length > 0,
    async start(signal) {
      signal.throwIfAborted()
      stopping = undefined
      running = await startHost(needs, options, log)
      log.info('listening', {
        peerId: identity.peerId.toString(),
        addresses: running.libp2p.getMultiaddrs().map(String),
      })
      if (!signal.aborted) return
      await this.stop()
      signal.throwIfAborted()
    },
    stop() {
      stopping ??= running?.stop().finally(() => (running = undefined)) ?? Promise.resolve()
      return stopping
    },
  }
}

async function startHost(needs: HostNeeds, options: HostOptions, log: Log): Promise<Running> {
  const publicAddress = publicAddressOf(options)
  const hosts = await bindableHosts(options.listenHosts)
  const ports = publicAddress === undefined ? options : await knownPorts(options, hosts[0])
  const listen = listenAddresses(hosts, ports)
  // Only a node of the network keeps what it learns about peers: libp2p dials the ones it kept at its next start.
  const datastore = options.mode === 'node' ? await openPeerDatastore(needs.dataFolder.path('peers'), log) : undefined
  const announce =
    publicAddress === undefined
      ? []
      : announceAddresses(publicAddress, { tcp: ports.tcpPort, ws: ports.wsPort, udp: ports.udpPort })
  const tuning = tunings(log)
  try {
    const libp2p = await createLibp2p<NetworkServices>({
      start: false,
      privateKey: needs.identity.privateKey,
      nodeInfo: { name: 'ocf', version: options.version, userAgent: `ocf/${options.version}` },
      addresses: {
        listen: listen.map(({ multiaddr }) => multiaddr),
        appendAnnounce: announce,
        announceFilter: withoutLinkLocal,
      },
      transports: [
        tunedTransport(tcp(TCP_OPTIONS), tuning.tcp),
        tunedTransport(webSockets(), tuning.ws),
        tunedTransport(quic(QUIC_OPTIONS), tuning.quic),
      ],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux(YAMUX_OPTIONS)],
      connectionManager: CONNECTION_MANAGER,
      connectionMonitor: CONNECTION_MONITOR,
      // Peers of a home network or of this machine are what this network is made of.
      connectionGater: { denyDialMultiaddr: () => false },
      services: networkServices({ mode: options.mode, hasPublicAddress: publicAddress !== undefined }),
      // Its errors are mostly peers that went away; what matters is said by the parts that use it.
      logger: libp2pLogger(log, { errorsAs: 'debug' }),
      ...(datastore === undefined ? {} : { datastore }),
    })
    await startListening(libp2p, listen)
    const dialer = options.mode === 'standalone' ? undefined : createDiscoveryDialer({ libp2p, log })
    return {
      libp2p,
      async stop() {
        await dialer?.stop()
        await libp2p.stop()
        await datastore?.close()
      },
    }
  } catch (error) {
    await datastore?.close()
    throw error
  }
}

/** Link-local addresses mean nothing without the interface they belong to. */
function withoutLinkLocal(addresses: Multiaddr[]): Multiaddr[] {
  return addresses.filter((address) => !/^\/ip6\/fe[89ab][0-9a-f]:/i.test(address.toString()))
}

async function startListening(libp2p: Libp2p, listen: readonly ListenAddress[]): Promise<void> {
  try {
    await libp2p.start()
  } catch (error) {
    throw listenError(error, listen)
  }
}

function publicAddressOf(options: HostOptions): PublicAddress | undefined {
  if (options.publicAddr === '') return undefined
  const address = parsePublicAddress(options.publicAddr)
  if (address !== undefined) return address
  throw new AppError(
    'invalid_settings',
    `public-addr is ${JSON.stringify(options.publicAddr)}: it takes an IP address or host name, with an optional :port.`,
    { param: 'public-addr' },
  )
}

/** Ports to announce have to be known before listening: any free one is chosen here. */
async function knownPorts(options: HostOptions, host = '127.0.0.1'): Promise<PortOptions> {
  return {
    tcpPort: options.tcpPort || (await freePort('tcp', host)),
    wsPort: options.wsPort || (await freePort('tcp', host)),
    udpPort: options.udpPort || (await freePort('udp', host)),
  }
}
