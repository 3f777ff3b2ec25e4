// For @libp2p/circuit-relay-v2 4.2.13: it shows reservations to nobody, neither their end nor their connection. Goes
// when its transport lists them.

import type { PeerId, Transport } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { relayOf } from '../../dial/ip-scope.js'

/** Circuit relay v2: what a peer speaks that relays for others. */
export const RELAY_HOP = '/libp2p/circuit/relay/0.2.0/hop'

/** This node's reservations at relays. */
export interface RelayReservations {
  /** Unix milliseconds; undefined where there is none at that relay. */
  untilMs(relay: string): number | undefined
  /** True while this node wants more than it has. */
  readonly isWanting: boolean
  /** The relays that gave one, each with the id of the connection it is bound to. */
  kept(): { relay: PeerId; connectionId: string }[]
  /** Calls `listener` for each one that is given. */
  onKept(listener: () => void): void
  /** Asks a relay for one. Rejects with the library's error when there is none to have. */
  ask(relay: PeerId): Promise<void>
  /** Reads them from this transport from now on; the library reports them to nobody, and drops what a circuit may carry. */
  watch(transport: Transport): Transport
}

/** The library's transport (@libp2p/circuit-relay-v2 4.2.13) as far as its reservations go. */
interface ReservingTransport {
  reservationStore?: {
    getReservation?: (relay: PeerId) => { expire?: bigint } | undefined
    /** One entry for each that is wanted and not had. */
    pendingReservations?: unknown[]
    addRelay?: (relay: PeerId, type: 'discovered') => Promise<unknown>
    reservations?: Iterable<[PeerId, { connection: string }]>
    addEventListener?: (type: 'relay:created-reservation', listener: () => void) => void
  }
}

/** Knows nothing before a transport is watched. */
export function createRelayReservations(): RelayReservations {
  let watched: ReservingTransport | undefined
  const listeners = new Set<() => void>()
  return {
    untilMs(relay) {
      const seconds = watched?.reservationStore?.getReservation?.(peerIdFromString(relay))?.expire
      return seconds === undefined || seconds === 0n ? undefined : Number(seconds) * 1000
    },
    get isWanting() {
      return (watched?.reservationStore?.pendingReservations?.length ?? 0) > 0
    },
    kept() {
      const reservations = [...(watched?.reservationStore?.reservations ?? [])]
      return reservations.map(([relay, { connection }]) => ({ relay, connectionId: connection }))
    },
    onKept: (listener) => void listeners.add(listener),
    async ask(relay) {
      await watched?.reservationStore?.addRelay?.(relay, 'discovered')
    },
    watch(transport) {
      watched = transport as ReservingTransport
      watched.reservationStore?.addEventListener?.('relay:created-reservation', () => {
        for (const listener of listeners) listener()
      })
      return transport
    },
  }
}

/** The relays that lead to this node, from the addresses it announces, and until when (Unix milliseconds). */
export function announcedRelays(
  announced: readonly string[],
  reservations: Pick<RelayReservations, 'untilMs'>,
): { peerId: string; untilMs: number | undefined }[] {
  const relays = announced.map(relayOf).filter((relay) => relay !== undefined)
  return [...new Set(relays)].map((peerId) => ({ peerId, untilMs: reservations.untilMs(peerId) }))
}
