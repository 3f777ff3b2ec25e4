import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import { createWarnOnce } from '../transport-tuning/warn-once.js'
import { RELAY_HOP, RELAY_STOP } from './relay-protocols.js'
import type { RelayQuota } from './relay-quota.js'

/** A libp2p stream as far as its incoming bytes go. */
interface ByteSink {
  onData?: (data: { byteLength: number }) => void
}

/**
 * Charges what comes in over circuits to the peer it comes from, and cuts the circuit of one that is over its quota.
 * The library counts per circuit only. Bytes are counted where the muxer hands them over, since a `message` listener
 * of ours would take bytes that the relay has not begun to read.
 */
export function meterRelay(needs: { libp2p: Libp2p; quota: RelayQuota; log: Log }): void {
  const { libp2p, quota, log } = needs
  const warn = createWarnOnce({ log }, { tuning: 'relay-quota' })
  const meter = (stream: Stream, connection: Connection): void => {
    const sink = stream as unknown as ByteSink
    const { onData } = sink
    if (onData === undefined) {
      warn()
      return
    }
    const peerId = connection.remotePeer.toString()
    sink.onData = (data) => {
      if (quota.charge(peerId, data.byteLength)) onData.call(stream, data)
      else stream.abort(new Error('the relay quota of this hour is used up'))
    }
  }
  libp2p.use(RELAY_HOP, (stream, connection, next) => {
    if (stream.direction === 'inbound') meter(stream, connection)
    next(stream, connection)
  })
  libp2p.use(RELAY_STOP, (stream, connection, next) => {
    if (stream.direction === 'outbound') meter(stream, connection)
    next(stream, connection)
  })
}
