import { dcutr, type DCUtRServiceComponents } from '@libp2p/dcutr'
import type { Connection, Libp2p } from '@libp2p/interface'
import { relayOf } from '../ip-scope.js'
import { override } from './override.js'
import { HOLE_PUNCH } from './relay-protocols.js'

/**
 * Direct connection upgrade through relay. The library closes the relayed connection as soon as a direct one is there,
 * and with it every answer still under way; here closing is left to the direct upgrade, which waits for them.
 */
export function holePunching(): (components: DCUtRServiceComponents) => unknown {
  return (components) => {
    const { registrar } = components
    const patient: Pick<typeof registrar, 'register' | 'handle'> = {
      register: (protocol, topology, options) =>
        registrar.register(
          protocol,
          {
            ...topology,
            onConnect: (peerId, connection) => topology.onConnect?.(peerId, keptOpen(connection)),
          },
          options,
        ),
      handle: (protocol, handler, options) =>
        registrar.handle(protocol, (stream, connection) => handler(stream, keptOpen(connection)), options),
    }
    return dcutr({ timeout: 5_000, retries: 3 })(override(components, { registrar: override(registrar, patient) }))
  }
}

/** The connection, with a `close` that does nothing. */
function keptOpen(connection: Connection): Connection {
  return new Proxy(connection, {
    get(target, key) {
      if (key === 'close') return () => Promise.resolve()
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** A direct connection that opens this soon after two ends agreed to punch is what they punched. */
const PUNCH_WINDOW_MS = 15_000
const MAX_PEERS = 1_000

/** Tells which connections came about by hole punching. */
export function watchHolePunching(libp2p: Libp2p): (connection: Connection) => boolean {
  const agreedAtMs = new Map<string, number>()
  const punched = new WeakSet<Connection>()
  libp2p.use(HOLE_PUNCH, (stream, connection, next) => {
    const peerId = connection.remotePeer.toString()
    agreedAtMs.delete(peerId)
    agreedAtMs.set(peerId, performance.now())
    const [oldest] = agreedAtMs.keys()
    if (agreedAtMs.size > MAX_PEERS && oldest !== undefined) agreedAtMs.delete(oldest)
    next(stream, connection)
  })
  libp2p.addEventListener('connection:open', (event: CustomEvent<Connection>) => {
    const connection = event.detail
    const atMs = agreedAtMs.get(connection.remotePeer.toString())
    if (atMs === undefined || relayOf(connection.remoteAddr.toString()) !== undefined) return
    if (performance.now() - atMs < PUNCH_WINDOW_MS) punched.add(connection)
  })
  return (connection) => punched.has(connection)
}
