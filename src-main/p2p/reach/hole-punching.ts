import { dcutr, type DCUtRServiceComponents } from '@libp2p/dcutr'
import type { Connection, Libp2p } from '@libp2p/interface'
import { relayOf } from '../ip-scope.js'
import { interceptConnection } from './intercept-connection.js'
import { override } from './override.js'

/**
 * Direct connection upgrade through relay. The library closes the relayed connection as soon as a direct one is there,
 * and with it every answer still under way; here closing is left to the direct upgrade, which waits for them.
 */
export function holePunching(punches: Pick<PunchWatch, 'during'>): (components: DCUtRServiceComponents) => unknown {
  const keptOpen = (connection: Connection): Connection =>
    interceptConnection(connection, { close: () => Promise.resolve() })
  return (components) => {
    const { registrar, connectionManager } = components
    const patient: Pick<typeof registrar, 'register' | 'handle'> = {
      register: (protocol, topology, options) =>
        registrar.register(
          protocol,
          { ...topology, onConnect: (peerId, connection) => topology.onConnect?.(peerId, keptOpen(connection)) },
          options,
        ),
      handle: (protocol, handler, options) =>
        registrar.handle(protocol, (stream, connection) => handler(stream, keptOpen(connection)), options),
    }
    const watched: Pick<typeof connectionManager, 'openConnection'> = {
      openConnection(target, options) {
        const dialling = connectionManager.openConnection(target, options)
        // The dial of both ends at once has a priority of its own; a try without agreement has none.
        return options?.priority === undefined ? dialling : punches.during(peerOf(target), dialling)
      },
    }
    return dcutr({ timeout: 5_000, retries: 3 })(
      override(components, {
        registrar: override(registrar, patient),
        connectionManager: override(connectionManager, watched),
      }),
    )
  }
}

/** The peer in `/…/p2p/<peer>` of the first address; '' where none is named. */
function peerOf(target: unknown): string {
  const first: unknown = Array.isArray(target) ? target[0] : target
  return /\/p2p\/([^/]+)$/.exec(String(first))?.[1] ?? ''
}

/** Knows which connections came about by hole punching. */
export interface PunchWatch {
  /** A direct connection to that peer that opens while `dialling` is under way is punched, whoever's dial it was. */
  during(peerId: string, dialling: Promise<Connection>): Promise<Connection>
  watch(libp2p: Libp2p): void
  isPunched(connection: Connection): boolean
}

export function createPunchWatch(): PunchWatch {
  const underWay = new Map<string, number>()
  const punched = new WeakSet<Connection>()
  const onOpen = (event: CustomEvent<Connection>): void => {
    const connection = event.detail
    const isDirect = relayOf(connection.remoteAddr.toString()) === undefined
    if (isDirect && underWay.has(connection.remotePeer.toString())) punched.add(connection)
  }
  return {
    async during(peerId, dialling) {
      underWay.set(peerId, (underWay.get(peerId) ?? 0) + 1)
      try {
        return await dialling
      } finally {
        const left = (underWay.get(peerId) ?? 1) - 1
        if (left > 0) underWay.set(peerId, left)
        else underWay.delete(peerId)
      }
    },
    watch: (libp2p) => libp2p.addEventListener('connection:open', onOpen),
    isPunched: (connection) => punched.has(connection),
  }
}
