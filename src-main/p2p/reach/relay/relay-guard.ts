// For @libp2p/circuit-relay-v2 4.2.13: it limits the bytes of a circuit and the number of reservations, and knows no
// sources. Goes when it has hooks that see each request and each circuit's bytes with the connections they run on.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { CircuitRelayServerComponents } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import type { MonotonicClock } from '../../../base/clock.js'
import type { Log } from '../../../logging/index.js'
import { addressGroup, relayOf } from '../../dial/ip-scope.js'
import { createFairSlots, type FairSlots } from '../../hardening/connection-limits/fair-slots.js'
import { createWarnOnce } from '../../hardening/transports/intercept-upgrade.js'
import { interceptConnection, override } from '../override.js'
import type { RelayMembers } from './relay-members.js'
import type { RelayQuota } from './relay-quota.js'
import type { RelayReservationSlots } from './relay-slots.js'

/** A libp2p stream as far as its incoming bytes go. */
interface ByteSink {
  onData?: (data: { byteLength: number }) => void
}

/** One request of a peer to this relay, and the circuit it becomes. */
interface Hop {
  stream: Stream
  connection: Connection
  source: string
  /** What its bytes are charged to: its source, and the peer it leads to. */
  accounts: string[]
  movedAtMs: number
}

/** A circuit without a byte for so long is idle. */
const IDLE_MS = 60_000

/** What a {@link RelayGuard} decides by. */
export interface RelayGuardNeeds {
  quota: RelayQuota
  members: RelayMembers
  /** Made after the relay, whose map it looks after. */
  reservations: () => RelayReservationSlots
  clock: MonotonicClock
  log: Log
}

/**
 * Stands between a relay and libp2p: decides who gets a reservation or a circuit, by where they come from, charges the
 * bytes of circuits, and cuts those over their share.
 */
export class RelayGuard {
  readonly #needs: RelayGuardNeeds
  readonly #circuits: FairSlots
  /** The request that the library works on: its own hooks tell peer ids only. */
  readonly #hop = new AsyncLocalStorage<Hop>()
  readonly #warn: () => void

  constructor(needs: RelayGuardNeeds, options: { maxCircuits: number }) {
    this.#needs = needs
    this.#circuits = createFairSlots({ max: options.maxCircuits })
    this.#warn = createWarnOnce({ log: needs.log }, { tuning: 'relay-quota' })
  }

  /**
   * The components of a relay that asks this guard. Streams are caught where the relay gets hold of them, because libp2p's
   * own middleware runs the handler of a protocol once more with each stream.
   */
  components<C extends CircuitRelayServerComponents>(components: C): C {
    const { registrar, connectionManager, connectionGater } = components
    const incoming: Pick<typeof registrar, 'handle'> = {
      handle: (protocol, handler, options) =>
        registrar.handle(
          protocol,
          (stream, connection) => this.#hop.run(this.#begin(stream, connection), () => handler(stream, connection)),
          options,
        ),
    }
    const outgoing: Pick<typeof connectionManager, 'getConnections'> = {
      getConnections: (peerId) => connectionManager.getConnections(peerId).filter(isDirect).map(this.#metered),
    }
    const gate: Partial<typeof connectionGater> = {
      denyInboundRelayReservation: async (peer) => !(await this.#mayReserve(peer)),
      denyOutboundRelayedConnection: async (from, to) => !(await this.#mayConnect(from, to)),
    }
    const replaced: Partial<CircuitRelayServerComponents> = {
      registrar: override(registrar, incoming),
      connectionManager: override(connectionManager, outgoing),
      connectionGater: override(connectionGater, gate),
    }
    return override(components, replaced as Partial<C>)
  }

  #begin(stream: Stream, connection: Connection): Hop {
    const source = addressGroup(connection.remoteAddr.toString())
    const hop = { stream, connection, source, accounts: [`from ${source}`], movedAtMs: this.#needs.clock.elapsedMs() }
    this.#charge(stream, hop)
    return hop
  }

  async #mayReserve(peer: PeerId): Promise<boolean> {
    const hop = this.#hop.getStore()
    if (hop === undefined || !(await this.#needs.members.has(peer))) return false
    if (!this.#needs.quota.mayRelay([...hop.accounts, accountOf(peer)])) return false
    // It may have left while it was waited for.
    return hop.connection.status === 'open' && this.#needs.reservations().take(peer, hop.source)
  }

  /** The peer at the other end has a reservation, so it was found to be one of this network. */
  async #mayConnect(from: PeerId, to: PeerId): Promise<boolean> {
    const hop = this.#hop.getStore()
    if (hop === undefined || !(await this.#needs.members.has(from))) return false
    const { stream, source, accounts } = hop
    const { quota, clock } = this.#needs
    accounts.push(accountOf(to))
    if (stream.status !== 'open' || !quota.mayRelay(accounts)) return false
    const slot = this.#circuits.take(source, {
      onEvicted: () => stream.abort(new Error('this circuit was ended for one of a source with fewer')),
      isBusy: () => clock.elapsedMs() - hop.movedAtMs < IDLE_MS,
    })
    if (slot === undefined) return false
    stream.addEventListener('close', () => slot.release(), { once: true })
    return true
  }

  readonly #metered = (connection: Connection): Connection =>
    interceptConnection(connection, {
      newStream: async (protocols, options) => {
        const stream = await connection.newStream(protocols, options)
        const hop = this.#hop.getStore()
        if (hop !== undefined) this.#charge(stream, hop)
        return stream
      },
    })

  /**
   * Bytes are counted where the muxer hands them over, because a `message` listener of ours would take bytes that the
   * relay has not begun to read.
   */
  #charge(stream: Stream, hop: Hop): void {
    const sink = stream as unknown as ByteSink
    const { onData } = sink
    if (onData === undefined) {
      this.#warn()
      return
    }
    const { quota, clock } = this.#needs
    sink.onData = (data) => {
      hop.movedAtMs = clock.elapsedMs()
      if (quota.charge(hop.accounts, data.byteLength)) onData.call(stream, data)
      else stream.abort(new Error('the relay quota of this hour is used up'))
    }
  }
}

/** A circuit leads over no other relay. */
const isDirect = ({ remoteAddr }: Connection): boolean => relayOf(remoteAddr.toString()) === undefined

const accountOf = (peer: PeerId): string => `to ${peer.toString()}`
