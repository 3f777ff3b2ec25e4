import { dcutr, type DCUtRServiceComponents } from '@libp2p/dcutr'
import type { Connection, Libp2p } from '@libp2p/interface'
import { relayOf } from '../ip-scope.js'
import { interceptConnection } from './intercept-connection.js'
import { override } from './override.js'

/**
 * Direct connection upgrade through relay. The library closes the relayed connection as soon as a direct one is there,
 * and with it every answer still under way; here closing is left to the direct upgrade, which waits for them.
 * `onAgreed` hears of each peer that this node and the other one agreed with to dial each other at the same moment.
 */
export function holePunching(onAgreed: (peerId: string) => void): (components: DCUtRServiceComponents) => unknown {
  const keptOpen = (connection: Connection): Connection =>
    interceptConnection(connection, {
      close: () => Promise.resolve(),
      newStream(protocols, options) {
        onAgreed(connection.remotePeer.toString())
        return connection.newStream(protocols, options)
      },
    })
  return (components) => {
    const { registrar } = components
    const patient: Pick<typeof registrar, 'register' | 'handle'> = {
      register: (protocol, topology, options) =>
        registrar.register(
          protocol,
          { ...topology, onConnect: (peerId, connection) => topology.onConnect?.(peerId, keptOpen(connection)) },
          options,
        ),
      handle: (protocol, handler, options) =>
        registrar.handle(
          protocol,
          (stream, connection) => {
            onAgreed(connection.remotePeer.toString())
            return handler(stream, keptOpen(connection))
          },
          options,
        ),
    }
    return dcutr({ timeout: 5_000, retries: 3 })(override(components, { registrar: override(registrar, patient) }))
  }
}

/** A direct connection that opens this soon after two ends agreed to punch is what they punched. */
const PUNCH_WINDOW_MS = 15_000
const MAX_PEERS = 1_000

/** Knows which connections came about by hole punching. */
export interface PunchWatch {
  agreed(peerId: string): void
  watch(libp2p: Libp2p): void
  isPunched(connection: Connection): boolean
}

export function createPunchWatch(): PunchWatch {
  const agreedAtMs = new Map<string, number>()
  const punched = new WeakSet<Connection>()
  const onOpen = (event: CustomEvent<Connection>): void => {
    const connection = event.detail
    const atMs = agreedAtMs.get(connection.remotePeer.toString())
    if (atMs === undefined || relayOf(connection.remoteAddr.toString()) !== undefined) return
    if (performance.now() - atMs < PUNCH_WINDOW_MS) punched.add(connection)
  }
  return {
    agreed(peerId) {
      agreedAtMs.delete(peerId)
      agreedAtMs.set(peerId, performance.now())
      const [oldest] = agreedAtMs.keys()
      if (agreedAtMs.size > MAX_PEERS && oldest !== undefined) agreedAtMs.delete(oldest)
    },
    watch: (libp2p) => libp2p.addEventListener('connection:open', onOpen),
    isPunched: (connection) => punched.has(connection),
  }
}
