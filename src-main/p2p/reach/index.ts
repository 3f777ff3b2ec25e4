import type { Connection, Libp2p } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import type { MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { createRoundTrips } from '../dial/round-trips.js'
import type { LivenessWatch } from '../hardening/liveness/liveness-watch.js'
import type { NetworkServices } from '../host/network-services.js'
import type { ReachFacts } from '../index.js'
import { createDirectUpgrade } from './direct-upgrade.js'
import type { PunchWatch } from './hole-punching.js'
import { watchOwnAddresses } from './own-addresses.js'
import { createRelayQuota, type RelayQuota } from './relay/relay-quota.js'
import { announcedRelays, type RelayReservations } from './relay/relay-reservations.js'
import { createRelayRetry } from './relay/relay-retry.js'
import type { RelayOptions } from './relay/relay-server.js'
import { NO_PORT_MAPPING } from './upnp/port-mapping.js'

/** What keeps a started libp2p reachable, and what is known about it. */
export interface Reach {
  facts(): ReachFacts
  askAgain(signal: AbortSignal): Promise<void>
  isPunched(connection: Connection): boolean
  /** Calls `listener` after each first round trip of a connection; returns the way to stop. */
  onMeasured(listener: () => void): () => void
  stop(): Promise<void>
}

export interface ReachOptions {
  isWide: boolean
  lanDiscovery: boolean
  privateNetwork: boolean
  relay: RelayOptions
}

/** The quota of a relay with these options. */
export const relayQuota = (relay: RelayOptions, clock: MonotonicClock): RelayQuota =>
  createRelayQuota({ clock }, { peerBytes: relay.peerBytes, totalBytes: relay.totalBytes })

/** To be called before libp2p starts, so that no connection is missed. */
export function createReach(
  needs: {
    libp2p: Libp2p<NetworkServices>
    quota: RelayQuota
    relayReservations: RelayReservations
    liveness: LivenessWatch
    punches: PunchWatch
    log: Log
  },
  options: ReachOptions,
): Reach {
  const { libp2p, quota, punches, liveness, log } = needs
  const { services } = libp2p
  punches.watch(libp2p)
  const measuredListeners = new Set<() => void>()
  const addressManager = services.ownAddresses.manager
  const ownAddresses = watchOwnAddresses({
    libp2p,
    addressManager,
    isTooEarly: () => services.portMapping?.isSettling() ?? false,
    log,
  })
  const stopRetrying = services.portMapping?.onOpened(() => ownAddresses.tryAnew())
  const directUpgrade = createDirectUpgrade({ libp2p, log })
  const relayRetry = createRelayRetry({ libp2p, reservations: needs.relayReservations, log })
  // A relay that holds a reservation of this node has to be there when somebody comes.
  liveness.follow(() => reservedConnections(libp2p, needs.relayReservations))
  needs.relayReservations.onKept(() => liveness.wake())
  const roundTrips = createRoundTrips({
    libp2p,
    log,
    onMeasured: () => measuredListeners.forEach((listener) => listener()),
  })

  return {
    onMeasured(listener) {
      measuredListeners.add(listener)
      return () => measuredListeners.delete(listener)
    },
    isPunched: (connection) => punches.isPunched(connection),
    askAgain: (signal) => ownAddresses.askAgain(signal),
    facts() {
      const announced = libp2p.getMultiaddrs().map(String)
      return {
        isWide: options.isWide,
        listening: addressManager
          .getAddressesWithMetadata()
          .flatMap(({ multiaddr, type }) => (type === 'transport' ? [multiaddr.toString()] : [])),
        announced,
        seen: ownAddresses.facts(),
        portMapping: services.portMapping?.facts() ?? NO_PORT_MAPPING,
        lanDiscovery: options.lanDiscovery,
        privateNetwork: options.privateNetwork,
        relays: announcedRelays(announced, needs.relayReservations),
        relayServer: {
          serving: services.relay?.isServing ?? false,
          reservations: services.relay?.reservations ?? 0,
          maxReservations: options.relay.maxReservations,
          usedBytes: quota.usedBytes(),
          hourlyBytes: options.relay.totalBytes,
        },
        dht: dhtFacts(services),
      }
    },
    async stop() {
      stopRetrying?.()
      relayRetry.stop()
      await Promise.all([ownAddresses.stop(), directUpgrade.stop(), roundTrips.stop()])
    },
  }
}

function* reservedConnections(
  libp2p: Libp2p<NetworkServices>,
  reservations: Pick<RelayReservations, 'kept'>,
): Generator<Connection> {
  for (const { relay, connectionId } of reservations.kept()) {
    yield* libp2p.getConnections(relay).filter(({ id }) => id === connectionId)
  }
}

function dhtFacts({ wanDht, lanDht }: Pick<NetworkServices, 'wanDht' | 'lanDht'>): ReachFacts['dht'] {
  const tables = [
    { name: 'wan' as const, dht: wanDht },
    { name: 'lan' as const, dht: lanDht },
  ]
  return tables.flatMap(({ name, dht }) =>
    dht === undefined ? [] : [{ name, mode: dht.getMode(), peers: (dht as SingleKadDHT).routingTable.size }],
  )
}
