import { circuitRelayTransport, type CircuitRelayTransportComponents } from '@libp2p/circuit-relay-v2'
import type { Transport } from '@libp2p/interface'
import { override } from '../override.js'
import type { RelayReservations } from './relay-reservations.js'

/** Relays a node has reservations at, so that the death of one does not cut it off. */
const RELAYS_WANTED = 2

/**
 * The circuit relay transport. It reserves at relays among the peers this node meets anyway; it does not walk the
 * network for them, which would cost an idle node without a relay many times its budget.
 */
export function relayTransport(
  reservations: RelayReservations,
): (components: CircuitRelayTransportComponents) => Transport {
  return (components) =>
    reservations.watch(
      circuitRelayTransport({
        reservationConcurrency: RELAYS_WANTED,
        maxInboundStopStreams: 1024,
        maxOutboundStopStreams: 1024,
      })(override(components, { randomWalk: { walk: () => nobody() } })),
    )
}

/** One listening address for each reservation wanted. */
export const relayListenAddresses = (): string[] => Array.from({ length: RELAYS_WANTED }, () => '/p2p-circuit')

async function* nobody(): AsyncGenerator<never> {
  // Yields nothing.
}
