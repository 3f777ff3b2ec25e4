import type { PeerId, Transport } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'

/** What relays grant a circuit, as they told when they gave this node its place. */
export interface RelayBudgets {
  /** Bytes one circuit may carry at that relay; undefined where it did not say, or there is no place. */
  circuitBytes(relay: string): number | undefined
  /** Reads them from this transport from now on; the library hands them to nobody. */
  watch(transport: Transport): Transport
}

/** The library's transport as far as its places go. */
interface PlaceKeeper {
  reservationStore?: { getReservation?: (relay: PeerId) => { limit?: { data?: bigint } } | undefined }
}

/** Knows nothing before a transport is watched. */
export function createRelayBudgets(): RelayBudgets {
  let keeper: PlaceKeeper | undefined
  return {
    circuitBytes(relay) {
      const bytes = keeper?.reservationStore?.getReservation?.(peerIdFromString(relay))?.limit?.data
      // 0 is no limit in the protocol.
      return bytes === undefined || bytes === 0n ? undefined : Number(bytes)
    },
    watch(transport) {
      keeper = transport as PlaceKeeper
      return transport
    },
  }
}
