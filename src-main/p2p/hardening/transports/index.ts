import type { MultiaddrConnection } from '@libp2p/interface'
import type { Log } from '../../../logging/index.js'
import type { Pulses } from '../liveness/pulses.js'
import type { ConnectionTuning } from './intercept-upgrade.js'
import { quicMuxerWithBackpressure } from './quic-backpressure.js'
import { batchTcpWrites } from './tcp-write-batching.js'
import { createWarnOnce } from './warn-once.js'
import { closeResetWebSocket } from './ws-reset.js'
import { batchWebSocketWrites } from './ws-write-batching.js'

/** What is changed of each transport, measured or mended; one that does not fit the installed library warns once and does nothing. */
export function tunings(log: Log, pulses?: Pulses): Record<'tcp' | 'ws' | 'quic', ConnectionTuning> {
  type Tune = (connection: MultiaddrConnection) => boolean
  const all = (applied: Record<string, Tune>): ConnectionTuning => {
    const tunes = Object.entries(applied).map(([tuning, apply]) => {
      const warn = createWarnOnce({ log }, { tuning })
      return (connection: MultiaddrConnection): void => {
        if (!apply(connection)) warn()
      }
    })
    return {
      connection: (connection) => {
        for (const tune of tunes) tune(connection)
      },
    }
  }
  const warnQuic = createWarnOnce({ log }, { tuning: 'quic-backpressure' })
  return {
    tcp: all({ 'tcp-write-batching': batchTcpWrites }),
    ws: all({ 'ws-write-batching': batchWebSocketWrites, 'ws-reset': closeResetWebSocket }),
    quic: {
      muxer: (factory) => {
        const paused = quicMuxerWithBackpressure(factory, pulses)
        if (paused === undefined) warnQuic()
        return paused ?? factory
      },
    },
  }
}

export { tuneStream } from './yamux-window-updates.js'
