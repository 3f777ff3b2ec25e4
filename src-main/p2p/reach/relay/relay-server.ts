import type { AutoNATComponents } from '@libp2p/autonat'
import {
  circuitRelayServer,
  type CircuitRelayServerComponents,
  type CircuitRelayService,
} from '@libp2p/circuit-relay-v2'
import type { Startable } from '@libp2p/interface'
import { SETTINGS } from '../../../config/index.js'
import type { Log } from '../../../logging/index.js'
import { hostOf, relayOf, scopeOf } from '../../dial/ip-scope.js'
import { meteredRelay } from './relay-meter.js'
import type { RelayQuota } from './relay-quota.js'

/** Whether this node relays for others: always, never, or once the internet can reach it. */
type RelayMode = 'auto' | 'on' | 'off'

/** What a relay gives, and to how many. */
export interface RelayOptions {
  mode: RelayMode
  maxReservations: number
  /** Bytes of one circuit. */
  circuitBytes: number
  circuitMs: number
  /** Bytes an hour, of one peer and of all. */
  peerBytes: number
  totalBytes: number
}

/** What a node relays unless its settings say otherwise; js-libp2p's own 128 KiB and 2 min cut every longer answer. */
export const RELAY_DEFAULTS: RelayOptions = {
  mode: SETTINGS.relay.default,
  maxReservations: SETTINGS['relay.max-reservations'].default,
  circuitBytes: SETTINGS['relay.circuit-data'].default,
  circuitMs: SETTINGS['relay.circuit-time'].default,
  peerBytes: SETTINGS['relay.peer-data'].default,
  totalBytes: SETTINGS['relay.total-data'].default,
}

/** The relay of this node. */
export interface RelayServer extends Startable {
  readonly isServing: boolean
  /** Peers that have a reservation here. */
  readonly reservations: number
}

/** Circuits one peer may open over one connection. */
const MAX_CIRCUITS_PER_PEER = 128

type Components = CircuitRelayServerComponents & Pick<AutoNATComponents, 'events' | 'addressManager'>

/** Serves at once when `mode` is on or the node's public address is known; in `auto` as soon as one is proven. */
export function relayServer(
  needs: { quota: RelayQuota; log: Log },
  options: RelayOptions & { hasPublicAddress: boolean },
): (components: Components) => RelayServer {
  return (components) => {
    const service = circuitRelayServer({
      maxInboundHopStreams: MAX_CIRCUITS_PER_PEER,
      maxOutboundStopStreams: options.maxReservations * 4,
      reservations: {
        maxReservations: options.maxReservations,
        defaultDataLimit: BigInt(options.circuitBytes),
        // The library reads this as milliseconds on this side and as seconds on the other, which only displays it.
        defaultDurationLimit: options.circuitMs,
      },
    })(meteredRelay(components, needs)) as CircuitRelayService & Startable
    let serving: Promise<void> | undefined

    async function serve(): Promise<void> {
      serving ??= Promise.resolve(service.start())
      await serving
    }

    const onOwnAddresses = (): void => {
      if (!components.addressManager.getAddresses().some((address) => isPublicDirect(address.toString()))) return
      components.events.removeEventListener('self:peer:update', onOwnAddresses)
      // The registrar rejects only a second handler, and this runs once.
      void serve()
    }

    return {
      get isServing() {
        return serving !== undefined
      },
      get reservations() {
        return service.reservations.size
      },
      async start() {
        if (options.mode === 'on' || (options.mode === 'auto' && options.hasPublicAddress)) await serve()
        else if (options.mode === 'auto') components.events.addEventListener('self:peer:update', onOwnAddresses)
      },
      async stop() {
        components.events.removeEventListener('self:peer:update', onOwnAddresses)
        if (serving === undefined) return
        await serving
        serving = undefined
        await service.stop()
      },
    }
  }
}

function isPublicDirect(address: string): boolean {
  return relayOf(address) === undefined && scopeOf(hostOf(address)) === 'public'
}
