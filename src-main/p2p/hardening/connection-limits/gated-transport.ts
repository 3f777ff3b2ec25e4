import { Server } from 'node:net'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { override } from '../../reach/override.js'
import type { TransportFactory } from '../transports/intercept-upgrade.js'
import type { InboundGate } from './inbound-gate.js'

/**
 * A transport whose inbound connections have to pass the gate. `watchesSockets`: for a listener that leaves sockets alone
 * until they speak.
 */
export function gatedTransport<C extends object>(
  factory: TransportFactory<C>,
  gate: InboundGate,
  options: { watchesSockets?: boolean } = {},
): TransportFactory<C> {
  return (components) => {
    // The relay transport has no listener of its own: it takes the upgrader of its components.
    const upgrader = Reflect.get(components, 'upgrader') as Upgrader | undefined
    const own = upgrader === undefined ? {} : { upgrader: gatedUpgrader(upgrader, gate) }
    const transport = factory(override(components, own as Partial<C>))
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (listenerOptions: Parameters<Transport['createListener']>[0]) => {
      const listener = createListener({ ...listenerOptions, upgrader: gatedUpgrader(listenerOptions.upgrader, gate) })
      const server: unknown = Reflect.get(listener, 'server')
      if (options.watchesSockets === true && server instanceof Server) gate.watch(server)
      return listener
    }
    return transport
  }
}

function gatedUpgrader(upgrader: Upgrader, gate: InboundGate): Upgrader {
  return {
    upgradeOutbound: (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeOutbound']>[1]) =>
      upgrader.upgradeOutbound(connection, options),
    async upgradeInbound(connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) {
      const slot = gate.begin(connection.remoteAddr.toString(), () =>
        connection.abort(new Error('others have waited for less')),
      )
      if (slot === undefined) throw new Error('too many connections')
      try {
        await upgrader.upgradeInbound(connection, options)
      } finally {
        slot.release()
      }
    },
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}
