// For @libp2p/circuit-relay-v2 4.2.13: it limits the bytes of a circuit, not those of a peer. Goes when it has a hook
// that sees the bytes of each circuit with their peer.

import type { CircuitRelayServerComponents } from '@libp2p/circuit-relay-v2'
import type { Connection, Stream } from '@libp2p/interface'
import type { Log } from '../../../logging/index.js'
import { createWarnOnce } from '../../hardening/transports/intercept-upgrade.js'
import { interceptConnection, override } from '../override.js'
import type { RelayQuota } from './relay-quota.js'

/** A libp2p stream as far as its incoming bytes go. */
interface ByteSink {
  onData?: (data: { byteLength: number }) => void
}

/**
 * The components of a relay whose circuits are charged, to the peer whose bytes come in, and cut when it is over its
 * quota: the library counts per circuit only. Streams are caught where the relay gets hold of them, because libp2p's
 * own middleware runs the handler of a protocol once more with each stream. Bytes are counted where the muxer hands
 * them over, because a `message` listener of ours would take bytes that the relay has not begun to read.
 */
export function meteredRelay<C extends CircuitRelayServerComponents>(
  components: C,
  needs: { quota: RelayQuota; log: Log },
): C {
  const { registrar, connectionManager } = components
  const warn = createWarnOnce({ log: needs.log }, { tuning: 'relay-quota' })
  const meter = (stream: Stream, connection: Connection): void => {
    if (!charge(stream, connection.remotePeer.toString(), needs.quota)) warn()
  }
  const metered = (connection: Connection): Connection =>
    interceptConnection(connection, {
      async newStream(protocols, options) {
        const stream = await connection.newStream(protocols, options)
        meter(stream, connection)
        return stream
      },
    })
  const incoming: Pick<typeof registrar, 'handle'> = {
    handle: (protocol, handler, options) =>
      registrar.handle(
        protocol,
        (stream, connection) => {
          meter(stream, connection)
          return handler(stream, connection)
        },
        options,
      ),
  }
  const outgoing: Pick<typeof connectionManager, 'getConnections'> = {
    getConnections: (peerId) => connectionManager.getConnections(peerId).map(metered),
  }
  const replaced: Partial<CircuitRelayServerComponents> = {
    registrar: override(registrar, incoming),
    connectionManager: override(connectionManager, outgoing),
  }
  return override(components, replaced as Partial<C>)
}

/** False, and nothing changed, when the stream's internals are not the known ones. */
function charge(stream: Stream, peerId: string, quota: RelayQuota): boolean {
  const sink = stream as unknown as ByteSink
  const { onData } = sink
  if (onData === undefined) return false
  sink.onData = (data) => {
    if (quota.charge(peerId, data.byteLength)) onData.call(stream, data)
    else stream.abort(new Error('the relay quota of this hour is used up'))
  }
  return true
}
