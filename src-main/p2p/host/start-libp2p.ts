import type { AddressSorter, Connection, Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { AppError } from '#shared/errors.js'
import { monotonicClock } from '../../base/clock.js'
import { libp2pLogger, type Log } from '../../logging/index.js'
import { indexConnections, type ConnectionIndex } from '../dial/connection-index.js'
import { DialGuard } from '../dial/dial-guard.js'
import { createDialMemory, type DialMemory } from '../dial/dial-memory.js'
import { compareForDial, createNearNetworks, type DialFacts } from '../dial/dial-order.js'
import { createDiscoveryDialer } from '../dial/discovery-dialer.js'
import { closeIdleConnections } from '../dial/idle-connections.js'
import { scopeOf } from '../dial/ip-scope.js'
import { createConnectionRoom } from '../hardening/connection-limits/connection-room.js'
import { guardedMuxer, MUXER_LIMITS } from '../hardening/connection-limits/guarded-muxer.js'
import { createInboundGate, gatedTransport, type InboundGate } from '../hardening/connection-limits/inbound-gate.js'
import { createLivenessProbes } from '../hardening/liveness/liveness-probe.js'
import { createLivenessWatch, type LivenessWatch } from '../hardening/liveness/liveness-watch.js'
import { watchNetwork } from '../hardening/liveness/network-watch.js'
import { guardNetworkInterfaces } from '../hardening/network-interfaces.js'
import { noiseCrypto } from '../hardening/noise-crypto.js'
import { ExpelledPeers } from '../hardening/stream-bounds/expelled-peers.js'
import { loadQuic, tunings } from '../hardening/transports/index.js'
import { tunedTransport, type TransportFactory } from '../hardening/transports/intercept-upgrade.js'
import { keepLoopbackFromProxies } from '../hardening/transports/loopback-proxies.js'
import { plainFrames } from '../hardening/transports/plain-frames.js'
import { batchedFrames } from '../hardening/transports/write-batching.js'
import type { HostNeeds, HostOptions, LocalNetwork, ReachFacts } from '../index.js'
import { createPunchWatch } from '../reach/hole-punching.js'
import { createReach, relayQuota } from '../reach/index.js'
import { lanDiscovery } from '../reach/lan-discovery.js'
import { LanPeers } from '../reach/lan-peers.js'
import { relayListenAddresses, relayTransport } from '../reach/relay/relay-client.js'
import { createRelayReservations, type RelayReservations } from '../reach/relay/relay-reservations.js'
import { RELAY_DEFAULTS } from '../reach/relay/relay-server.js'
import { createTls } from '../tls/index.js'
import { announceAddresses, parsePublicAddress, type PublicAddress, worthAnnouncing } from './announce.js'
import {
  CONNECTION_MONITOR,
  connectionLimits,
  connectionManager,
  QUIC_OPTIONS,
  TCP_OPTIONS,
  YAMUX_OPTIONS,
} from './limits.js'
import {
  bindableHosts,
  freePort,
  listenAddresses,
  type ListenAddress,
  type PortOptions,
  listenError,
} from './listen-addresses.js'
import { meshPeers, networkServices, type NetworkServices } from './network-services.js'
import { openPeerDatastore } from './peer-datastore.js'
import { readSwarmKey } from './swarm-key.js'

/** libp2p while the host is started. */
export interface RunningLibp2p {
  libp2p: Libp2p<NetworkServices>
  connected: ConnectionIndex
  reach(): ReachFacts
  askReach(signal: AbortSignal): Promise<void>
  isPunched(connection: Connection): boolean
  onMeasured(listener: () => void): () => void
  liveness: LivenessWatch
  nameAddresses(addresses: readonly string[]): void
  lan: LocalNetwork
  stop(): Promise<void>
}

/** libp2p, running as `options` say. What was opened is closed again when it cannot be started. */
export async function startLibp2p(needs: HostNeeds, options: HostOptions, log: Log): Promise<RunningLibp2p> {
  // Before QUIC is loaded, which reads them once for all.
  guardNetworkInterfaces({ log })
  const publicAddress = publicAddressOf(options)
  const hosts = await bindableHosts(options.listenHosts)
  const ports = publicAddress === undefined ? options : await knownPorts(options, hosts[0])
  const swarmKey = options.swarmKeyFile ? await readSwarmKey(options.swarmKeyFile) : undefined
  if (swarmKey !== undefined) log.info(PRIVATE_NETWORK)
  // QUIC brings its own encryption and cannot be wrapped in a network key.
  const quic = swarmKey === undefined ? await loadQuic(log) : undefined
  // TLS on what such a key makes of a connection would be one more encryption in JavaScript below it.
  const tls = swarmKey === undefined ? await createTls({ log }, needs.identity.privateKey) : undefined
  const listen = listenAddresses(hosts, ports).filter(({ setting }) => quic !== undefined || setting !== 'udpport')
  const isNode = options.mode === 'node'
  const isWide = isNode && hosts.some((host) => scopeOf(host) !== 'loopback')
  const isLanMet = isWide && (options.mdns ?? true)
  const relay = options.relay ?? RELAY_DEFAULTS
  const quota = relayQuota(relay, monotonicClock)
  const relayReservations = createRelayReservations()
  const punches = createPunchWatch()
  const dialMemory = createDialMemory()
  const expelled = new ExpelledPeers({ log })
  const networkOf = createNearNetworks()
  const isNear = (host: string): boolean => networkOf(host) !== undefined
  const lanPeers = new LanPeers()
  const guard = new DialGuard({ isNear }, { isWide })
  const limits = connectionLimits(options)
  const room = createConnectionRoom({ log }, limits.connections)
  const gate = createInboundGate({ mayEnter: (source) => room.mayEnter(source), log }, limits.gate)
  // Only a node of the network keeps what it learns about peers: libp2p dials the ones it kept at its next start.
  const datastore = isNode ? await openPeerDatastore(needs.dataFolder.path('peers'), log) : undefined
  const probes = createLivenessProbes()
  const tuning = tunings(log, probes)
  const { metrics } = needs
  try {
    const libp2p = await createLibp2p<NetworkServices>({
      start: false,
      privateKey: needs.identity.privateKey,
      nodeInfo: { name: 'ocf', version: options.version, userAgent: `ocf/${options.version}` },
      addresses: {
        listen: [
          ...listen.map(({ multiaddr }) => multiaddr),
          ...(isNode && publicAddress === undefined ? relayListenAddresses() : []),
        ],
        appendAnnounce: announced(publicAddress, ports, quic !== undefined),
        announceFilter: (addresses) => worthAnnouncing(addresses, String),
      },
      transports: transportsOf({
        guard,
        dialMemory,
        gate,
        tuning,
        quic,
        relays: isNode ? relayReservations : undefined,
      }),
      connectionEncrypters: [...(tls === undefined ? [] : [tls]), noise({ crypto: noiseCrypto() })],
      streamMuxers: [
        guardedMuxer(plainFrames(batchedFrames(yamux(YAMUX_OPTIONS), { log }), { log }), { log, probes }, MUXER_LIMITS),
      ],
      connectionManager: {
        ...connectionManager(limits),
        addressSorter: addressSorter({ isNear, failedLately: (address) => dialMemory.failedLately(address) }),
        maxPeerAddrsToDial: MAX_ADDRESSES_PER_DIAL,
        // Bootstrap sources are resolved by our own code; a stranger's address would have it ask a server of his choice.
        resolvers: {},
      },
      connectionMonitor: CONNECTION_MONITOR,
      connectionGater: { ...guard.gater(), ...expelled.gater },
      peerDiscovery: isLanMet
        ? [lanDiscovery({ networkOf, onHeard: (peerId, addresses) => lanPeers.heard(peerId, addresses), log })]
        : [],
      services: networkServices({
        mode: options.mode,
        hasPublicAddress: publicAddress !== undefined,
        isWide,
        relay,
        quota,
        punches,
        expelled,
        isPaused: (address) => guard.isPaused(address),
        log,
        signedTopics: options.signedTopics ?? [],
        streamRules: options.streamRules ?? [],
        portMapping: (options.upnp ?? true) ? { publicAddress, times: options.upnpTimes ?? {} } : undefined,
      }),
      // Its errors are mostly peers that went away; what matters is said by the parts that use it.
      logger: libp2pLogger(log, { errorsAs: 'debug' }),
      ...(swarmKey === undefined ? {} : { connectionProtector: preSharedKey({ psk: swarmKey }) }),
      ...(datastore === undefined ? {} : { datastore }),
      ...(metrics === undefined ? {} : { metrics: () => metrics }),
    })
    const connected = indexConnections(libp2p)
    room.watch(libp2p)
    guard.watch(libp2p)
    const liveness = createLivenessWatch({
      probes,
      connectionsTo: (peerId) => connected.of(peerId),
      onCut: ({ remoteAddr, remotePeer }) => dialMemory.fellSilent(remoteAddr.toString(), remotePeer.toString()),
      log,
    })
    const reach = createReach(
      { libp2p, quota, relayReservations, liveness, punches, log },
      { isWide, lanDiscovery: isLanMet, privateNetwork: swarmKey !== undefined, relay },
    )
    await startListening(libp2p, listen)
    const unwatch = watchNetwork({ libp2p, liveness, log })
    const dialer = options.mode === 'standalone' ? undefined : createDiscoveryDialer({ libp2p, log })
    const { pubsub } = libp2p.services
    const isInMesh = (peerId: string): boolean => meshPeers(pubsub).includes(peerId)
    const idle = closeIdleConnections({ libp2p, isInMesh, log })
    return {
      libp2p,
      connected,
      reach: () => reach.facts(),
      askReach: (signal) => reach.askAgain(signal),
      isPunched: (connection) => reach.isPunched(connection),
      onMeasured: (listener) => reach.onMeasured(listener),
      liveness,
      nameAddresses: (addresses) => guard.name(addresses),
      lan: { isNear, peers: () => lanPeers.list(), onChanged: (listener) => lanPeers.onChanged(listener) },
      async stop() {
        unwatch()
        idle.stop()
        liveness.stop()
        await Promise.all([dialer?.stop(), reach.stop()])
        await libp2p.stop()
        await datastore?.close()
      },
    }
  } catch (error) {
    await datastore?.close()
    throw error
  }
}

/** Of one peer and one dial: three transports in several networks, and two relays. */
const MAX_ADDRESSES_PER_DIAL = 16

/** Every transport's connections pass the gate and are tuned; its dials are guarded and remembered. */
function transportsOf(parts: {
  guard: DialGuard
  dialMemory: DialMemory
  gate: InboundGate
  tuning: ReturnType<typeof tunings>
  quic: Awaited<ReturnType<typeof loadQuic>>
  /** Undefined where no relay is used. */
  relays: RelayReservations | undefined
}) {
  const { guard, dialMemory, gate, tuning, quic, relays } = parts
  keepLoopbackFromProxies(process.env)
  const watched = <C>(factory: TransportFactory<C>): TransportFactory<C> => guard.guarded(dialMemory.watch(factory))
  return [
    watched(gatedTransport(tunedTransport(tcp(TCP_OPTIONS), tuning.tcp), gate)),
    watched(gatedTransport(tunedTransport(webSockets(), tuning.ws), gate, { waits: true })),
    ...(quic === undefined ? [] : [watched(gatedTransport(tunedTransport(quic(QUIC_OPTIONS), tuning.quic), gate))]),
    ...(relays === undefined ? [] : [watched(gatedTransport(relayTransport(relays), gate))]),
  ]
}

const PRIVATE_NETWORK =
  'private network: only peers with the same swarm key can connect; QUIC is off, and public bootstrap nodes will not answer'

/** Sorts the addresses of a peer for dialling. */
function addressSorter(facts: DialFacts): AddressSorter {
  return (a, b) => compareForDial(a.multiaddr.toString(), b.multiaddr.toString(), facts)
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
