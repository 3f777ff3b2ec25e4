import { dcutr, type DCUtRServiceComponents } from '@libp2p/dcutr'
import type { Connection, Libp2p, PeerId, Startable, Topology } from '@libp2p/interface'
import { isMultiaddr } from '@multiformats/multiaddr'
import type { Log } from '../../logging/index.js'
import { isRelayed } from '../dial/dial-order.js'
import { interceptConnection, override } from './override.js'
import { createPunchPort, type PunchPortNeeds } from './punch-port.js'

/** Of one try, at the end that asks for it. */
const TIMEOUT_MS = 5_000
const TRIES = 3
/** Three tries, the one dial before them and the search for a port fit into this. */
const SERIES_MS = (TRIES + 2) * TIMEOUT_MS

type Components = DCUtRServiceComponents & PunchPortNeeds

/**
 * Direct connection upgrade through relay, over TCP. Three things are changed. The library dials from any port, which
 * no router lets in at the other end: here both ends dial from one whose outside is known (`punch-port.ts`). It loses on
 * its way to the transport which end takes the part of the dialled one. And it closes the relayed connection as soon as
 * a direct one is there, and with it every answer still under way; here closing is left to the direct upgrade.
 */
export function holePunching(needs: {
  punches: Pick<PunchWatch, 'during'>
  log: Log
}): (components: Components) => unknown {
  const keptOpen = (connection: Connection): Connection =>
    interceptConnection(connection, { close: () => Promise.resolve() })
  return (components) => {
    const { registrar, connectionManager, addressManager } = components
    const port = createPunchPort(components, needs.log)
    const patient: Pick<typeof registrar, 'register' | 'handle'> = {
      register: (protocol, topology, options) =>
        registrar.register(
          protocol,
          {
            ...topology,
            onConnect: (peerId, connection) => {
              upgrade(topology, peerId, connection).catch((error: unknown) => {
                needs.log.debug('a hole could not be punched', { peerId: peerId.toString(), error })
              })
            },
          },
          options,
        ),
      handle: (protocol, handler, options) =>
        registrar.handle(
          protocol,
          async (stream, connection) => {
            await port.prepare(connection)
            await handler(stream, keptOpen(connection))
          },
          options,
        ),
    }
    /** When the last series of tries over a relayed connection began; libp2p tells of it again with news of the peer. */
    const triedAtMs = new Map<string, number>()
    async function upgrade(topology: Topology, peerId: PeerId, connection: Connection): Promise<void> {
      const { id } = connection
      if (!isRelayed(connection)) return
      if (performance.now() - (triedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < SERIES_MS) return
      if (connectionManager.getConnections(peerId).some((other) => !isRelayed(other))) return
      if (!triedAtMs.has(id)) connection.addEventListener('close', () => triedAtMs.delete(id), { once: true })
      triedAtMs.set(id, performance.now())
      await port.prepare(connection)
      // The library's handler returns nothing, and tells its own failures.
      void topology.onConnect?.(peerId, keptOpen(connection))
    }
    const watched: Pick<typeof connectionManager, 'openConnection'> = {
      openConnection(target, options) {
        // The dial of both ends at once has a priority of its own; a try without agreement has none.
        if (options?.priority === undefined) return connectionManager.openConnection(target, options)
        const { signal = AbortSignal.timeout(TIMEOUT_MS), initiator = true } = options
        const targets = (Array.isArray(target) ? target : [target]).filter(isMultiaddr)
        return needs.punches.during(targets.map(String), port.dial(targets, { signal, initiator }))
      },
    }
    // The port's address alone: a dial to one that is open anyway would be no punch.
    const told: Pick<typeof addressManager, 'getAddresses'> = {
      getAddresses: () => {
        const address = port.address()
        return address === undefined ? addressManager.getAddresses() : [address]
      },
    }
    const service = dcutr({ timeout: TIMEOUT_MS, retries: TRIES })(
      override(components, {
        registrar: override(registrar, patient),
        connectionManager: override(connectionManager, watched),
        addressManager: override(addressManager, told),
      }),
    ) as Startable
    const stop = service.stop.bind(service)
    service.stop = async () => {
      port.stop()
      await stop()
    }
    return service
  }
}

/** Knows which connections came about by hole punching. */
export interface PunchWatch {
  /** A connection to one of these addresses that opens while `dialling` is under way is punched. */
  during(targets: readonly string[], dialling: Promise<Connection>): Promise<Connection>
  watch(libp2p: Libp2p): void
  isPunched(connection: Connection): boolean
}

export function createPunchWatch(): PunchWatch {
  const underWay = new Set<string>()
  const punched = new WeakSet<Connection>()
  const onOpen = (event: CustomEvent<Connection>): void => {
    if (underWay.has(event.detail.remoteAddr.toString())) punched.add(event.detail)
  }
  return {
    async during(targets, dialling) {
      for (const target of targets) underWay.add(target)
      try {
        return await dialling
      } finally {
        for (const target of targets) underWay.delete(target)
      }
    },
    watch: (libp2p) => libp2p.addEventListener('connection:open', onOpen),
    isPunched: (connection) => punched.has(connection),
  }
}
