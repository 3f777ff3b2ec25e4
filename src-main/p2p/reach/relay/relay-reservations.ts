import type { PeerId, Transport } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'

/** Circuit relay v2: what a peer speaks that relays for others. */
export const RELAY_HOP = '/libp2p/circuit/relay/0.2.0/hop'

/** How long relays promised this node its places. */
export interface RelayReservations {
  /** Unix milliseconds; undefined where there is no place at that relay. */
  untilMs(relay: string): number | undefined
  /** True while this node wants more places than it has. */
  readonly isWanting: boolean
  /** The relays that gave a place, each with the id of the connection it is bound to. */
  kept(): { relay: PeerId; connectionId: string }[]
  /** Calls `listener` for each place that is given. */
  onKept(listener: () => void): void
  /** Asks a relay for a place. Rejects with the library's error when there is none to have. */
  ask(relay: PeerId): Promise<void>
  /** Reads them from this transport from now on; the library tells nobody, and what a circuit may carry it drops. */
  watch(transport: Transport): Transport
}

/** The library's transport as far as its places go. */
interface PlaceKeeper {
  reservationStore?: {
    getReservation?: (relay: PeerId) => { expire?: bigint } | undefined
    /** One entry for each place that is wanted and not had. */
    pendingReservations?: unknown[]
    addRelay?: (relay: PeerId, type: 'discovered') => Promise<unknown>
    reservations?: Iterable<[PeerId, { connection: string }]>
    addEventListener?: (type: 'relay:created-reservation', listener: () => void) => void
  }
}

/** Knows nothing before a transport is watched. */
export function createRelayReservations(): RelayReservations {
  let keeper: PlaceKeeper | undefined
  const listeners = new Set<() => void>()
  return {
    untilMs(relay) {
      const seconds = keeper?.reservationStore?.getReservation?.(peerIdFromString(relay))?.expire
      return seconds === undefined || seconds === 0n ? undefined : Number(seconds) * 1000
    },
    get isWanting() {
      return (keeper?.reservationStore?.pendingReservations?.length ?? 0) > 0
    },
    kept() {
      const places = [...(keeper?.reservationStore?.reservations ?? [])]
      return places.map(([relay, { connection }]) => ({ relay, connectionId: connection }))
    },
    onKept: (listener) => void listeners.add(listener),
    async ask(relay) {
      await keeper?.reservationStore?.addRelay?.(relay, 'discovered')
    },
    watch(transport) {
      keeper = transport as PlaceKeeper
      keeper.reservationStore?.addEventListener?.('relay:created-reservation', () => {
        for (const listener of listeners) listener()
      })
      return transport
    },
  }
}
