import type { MultiaddrConnection } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import type { ConnectionTuning } from './intercept-upgrade.js'
import { quicMuxerWithBackpressure } from './quic-backpressure.js'
import { batchTcpWrites } from './tcp-write-batching.js'
import { createWarnOnce } from './warn-once.js'
import { batchWebSocketWrites } from './ws-write-batching.js'

/** The measured improvements per transport; one that does not fit the installed library warns once and does nothing. */
export function tunings(log: Log): Record<'tcp' | 'ws' | 'quic', ConnectionTuning> {
  const writes = (tuning: string, apply: (connection: MultiaddrConnection) => boolean): ConnectionTuning => {
    const warn = createWarnOnce({ log }, { tuning })
    return {
      connection: (connection) => {
        if (!apply(connection)) warn()
      },
    }
  }
  const warnQuic = createWarnOnce({ log }, { tuning: 'quic-backpressure' })
  return {
    tcp: writes('tcp-write-batching', batchTcpWrites),
    ws: writes('ws-write-batching', batchWebSocketWrites),
    quic: {
      muxer: (factory) => {
        const paused = quicMuxerWithBackpressure(factory)
        if (paused === undefined) warnQuic()
        return paused ?? factory
      },
    },
  }
}

export { tuneStream } from './yamux-window-updates.js'
