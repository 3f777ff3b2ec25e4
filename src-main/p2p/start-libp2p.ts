import { createLibp2p } from 'libp2p'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { AppError } from '#shared/errors.js'
import type { Log } from '../logging/index.js'
import { libp2pLogger } from '../logging/libp2p-logger.js'
import { announceAddresses, parsePublicAddress, type PublicAddress } from './announce.js'
import { createDiscoveryDialer } from './discovery-dialer.js'
import type { HostNeeds, HostOptions } from './index.js'
import { CONNECTION_MANAGER, CONNECTION_MONITOR, QUIC_OPTIONS, TCP_OPTIONS, YAMUX_OPTIONS } from './limits.js'
import { bindableHosts, freePort, listenAddresses, type ListenAddress, type PortOptions } from './listen-addresses.js'
import { listenError } from './listen-error.js'
import { networkServices, type NetworkServices } from './network-services.js'
import { openPeerDatastore } from './peer-datastore.js'
import { loadQuic } from './quic-transport.js'
import { tunings } from './transport-tuning/index.js'
import { tunedTransport } from './transport-tuning/intercept-upgrade.js'

/** libp2p while the host is started. */
export interface RunningLibp2p {
  libp2p: Libp2p<NetworkServices>
  /** Peer ids with at least one connection. */
  connected: ReadonlySet<string>
  stop(): Promise<void>
}

/** libp2p, running as `options` say. What was opened is closed again when it cannot be started. */
export async function startLibp2p(needs: HostNeeds, options: HostOptions, log: Log): Promise<RunningLibp2p> {
  const publicAddress = publicAddressOf(options)
  const hosts = await bindableHosts(options.listenHosts)
  const ports = publicAddress === undefined ? options : await knownPorts(options, hosts[0])
  const quic = await loadQuic(log)
  const listen = listenAddresses(hosts, ports).filter(({ setting }) => quic !== undefined || setting !== 'udpport')
  // Only a node of the network keeps what it learns about peers: libp2p dials the ones it kept at its next start.
  const datastore = options.mode === 'node' ? await openPeerDatastore(needs.dataFolder.path('peers'), log) : undefined
  const tuning = tunings(log)
  const { metrics } = needs
  try {
    const libp2p = await createLibp2p<NetworkServices>({
      start: false,
      privateKey: needs.identity.privateKey,
      nodeInfo: { name: 'ocf', version: options.version, userAgent: `ocf/${options.version}` },
      addresses: {
        listen: listen.map(({ multiaddr }) => multiaddr),
        appendAnnounce: announced(publicAddress, ports, quic !== undefined),
        announceFilter: withoutLinkLocal,
      },
      transports: [
        tunedTransport(tcp(TCP_OPTIONS), tuning.tcp),
        tunedTransport(webSockets(), tuning.ws),
        ...(quic === undefined ? [] : [tunedTransport(quic(QUIC_OPTIONS), tuning.quic)]),
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
      ...(metrics === undefined ? {} : { metrics: () => metrics }),
    })
    const connected = connectedPeers(libp2p)
    await startListening(libp2p, listen)
    const dialer = options.mode === 'standalone' ? undefined : createDiscoveryDialer({ libp2p, log })
    return {
      libp2p,
      connected,
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

/** Kept by libp2p's events, so that asking costs no decoding of a peer id. */
function connectedPeers(libp2p: Libp2p): ReadonlySet<string> {
  const connected = new Set<string>()
  libp2p.addEventListener('peer:connect', (event: CustomEvent<PeerId>) => connected.add(event.detail.toString()))
  libp2p.addEventListener('peer:disconnect', (event: CustomEvent<PeerId>) => connected.delete(event.detail.toString()))
  return connected
}

/** Link-local addresses mean nothing without the interface they belong to. */
function withoutLinkLocal(addresses: Multiaddr[]): Multiaddr[] {
  return addresses.filter((address) => !/^\/ip6\/fe[89ab][0-9a-f]:/i.test(address.toString()))
}

async function startListening(libp2p: Libp2p, listen: readonly ListenAddress[]): Promise<void> {
  try {
    await libp2p.start()
  } catch (error) {
    throw await listenError(error, listen)
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

function announced(address: PublicAddress | undefined, ports: PortOptions, hasQuic: boolean): string[] {
  if (address === undefined) return []
  const { tcpPort, wsPort, udpPort } = ports
  return announceAddresses(address, { tcp: tcpPort, ws: wsPort, udp: hasQuic ? udpPort : undefined })
}

/** Ports to announce have to be known before listening: any free one is chosen here. */
async function knownPorts(options: HostOptions, host = '127.0.0.1'): Promise<PortOptions> {
  return {
    tcpPort: options.tcpPort || (await freePort('tcp', host)),
    wsPort: options.wsPort || (await freePort('tcp', host)),
    udpPort: options.udpPort || (await freePort('udp', host)),
  }
}
