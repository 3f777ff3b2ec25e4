import type { AutoNATComponents } from '@libp2p/autonat'
import {
  circuitRelayServer,
  RELAY_V2_STOP_CODEC,
  type CircuitRelayServerComponents,
  type CircuitRelayService,
} from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId, Startable } from '@libp2p/interface'
import { monotonicClock } from '../../../base/clock.js'
import { SETTINGS } from '../../../config/index.js'
import type { Log } from '../../../logging/index.js'
import { hostOf, relayOf, scopeOf } from '../../dial/ip-scope.js'
import { HTTP_PROTOCOL } from '../../http/stream-duplex.js'
import { RelayGuard } from './relay-guard.js'
import { createRelayMembers, type RelayMembers } from './relay-members.js'
import type { RelayQuota } from './relay-quota.js'
import { RelayReservationSlots } from './relay-slots.js'

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

/** Circuits at one time for each reservation there may be; each holds two streams, some 40 KB. */
const CIRCUITS_PER_RESERVATION = 8

/**
 * How long (ms) a reservation lasts unless it is renewed, which clients do five minutes before its end. Circuit relay v2
 * suggests an hour at most.
 */
const RESERVATION_MS = 30 * 60_000

type Components = CircuitRelayServerComponents & Pick<AutoNATComponents, 'events' | 'addressManager'>

/** Serves at once when `mode` is on or the node's public address is known; in `auto` as soon as one is proven. */
export function relayServer(
  needs: { quota: RelayQuota; log: Log },
  options: RelayOptions & { hasPublicAddress: boolean },
): (components: Components) => RelayServer {
  return (components) => new FairRelay(needs, options, components)
}

class FairRelay implements RelayServer {
  readonly #options: RelayOptions & { hasPublicAddress: boolean }
  readonly #components: Components
  readonly #service: CircuitRelayService & Startable
  readonly #reservations: RelayReservationSlots
  readonly #members: RelayMembers
  #serving: Promise<void> | undefined

  constructor(
    needs: { quota: RelayQuota; log: Log },
    options: RelayOptions & { hasPublicAddress: boolean },
    components: Components,
  ) {
    this.#options = options
    this.#components = components
    this.#members = createRelayMembers(components)
    const maxCircuits = options.maxReservations * CIRCUITS_PER_RESERVATION
    const guard = new RelayGuard(
      { ...needs, members: this.#members, reservations: () => this.#reservations, clock: monotonicClock },
      { maxCircuits },
    )
    this.#service = circuitRelayServer({
      maxInboundHopStreams: MAX_CIRCUITS_PER_PEER,
      maxOutboundStopStreams: maxCircuits,
      reservations: {
        maxReservations: options.maxReservations,
        reservationTtl: RESERVATION_MS,
        defaultDataLimit: BigInt(options.circuitBytes),
        // The library reads this as milliseconds on this side and as seconds on the other, which only displays it.
        defaultDurationLimit: options.circuitMs,
      },
    })(guard.components(components)) as CircuitRelayService & Startable
    this.#reservations = new RelayReservationSlots(this.#service.reservations, {
      max: options.maxReservations,
      onEvicted: (peer) => this.#hangUp(peer),
    })
  }

  get isServing(): boolean {
    return this.#serving !== undefined
  }

  get reservations(): number {
    return this.#service.reservations.size
  }

  async start(): Promise<void> {
    const { mode, hasPublicAddress } = this.#options
    const { events } = this.#components
    events.addEventListener('connection:close', this.#onConnectionClosed)
    if (mode === 'on' || (mode === 'auto' && hasPublicAddress)) await this.#serve()
    else if (mode === 'auto') events.addEventListener('self:peer:update', this.#onOwnAddresses)
  }

  async stop(): Promise<void> {
    const { events } = this.#components
    events.removeEventListener('self:peer:update', this.#onOwnAddresses)
    events.removeEventListener('connection:close', this.#onConnectionClosed)
    this.#members.stop()
    if (this.#serving === undefined) return
    await this.#serving
    this.#serving = undefined
    this.#reservations.endAll()
    await this.#service.stop()
  }

  async #serve(): Promise<void> {
    this.#serving ??= Promise.resolve(this.#service.start())
    await this.#serving
  }

  readonly #onOwnAddresses = (): void => {
    const { addressManager, events } = this.#components
    if (!addressManager.getAddresses().some((address) => isPublicDirect(address.toString()))) return
    events.removeEventListener('self:peer:update', this.#onOwnAddresses)
    // The registrar rejects only a second handler, and this runs once.
    void this.#serve()
  }

  /** A reservation is for as long as its peer can be reached from here. */
  readonly #onConnectionClosed = ({ detail: { remotePeer } }: CustomEvent<Connection>): void => {
    const left = this.#components.connectionManager.getConnections(remotePeer)
    if (!left.some(({ status, remoteAddr }) => status === 'open' && relayOf(remoteAddr.toString()) === undefined)) {
      this.#reservations.end(remotePeer)
    }
  }

  /** Tells a peer that it has lost its reservation, by the end of its connection. One in use is left alone. */
  #hangUp(peer: PeerId): void {
    const connections = this.#components.connectionManager.getConnections(peer)
    if (connections.some(({ streams }) => streams.some(({ protocol }) => IN_USE.has(protocol)))) return
    for (const connection of connections) connection.close().catch((error: unknown) => connection.abort(asError(error)))
  }
}

/** What runs on a connection while it carries requests or circuits. */
const IN_USE = new Set([HTTP_PROTOCOL, RELAY_V2_STOP_CODEC])

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

function isPublicDirect(address: string): boolean {
  return relayOf(address) === undefined && scopeOf(hostOf(address)) === 'public'
}
