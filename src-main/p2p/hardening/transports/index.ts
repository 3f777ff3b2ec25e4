// What is changed of each transport; each file names the fault it stands for.

import type { quic } from '@chainsafe/libp2p-quic'
import type { MultiaddrConnection } from '@libp2p/interface'
import type { Log } from '../../../logging/index.js'
import type { LivenessProbes } from '../liveness/liveness-probe.js'
import { type ConnectionTuning, createWarnOnce } from './intercept-upgrade.js'
import { quicMuxerWithBackpressure } from './quic-backpressure.js'
import { closeResetWebSocket, batchWebSocketWrites } from './websocket.js'
import { batchTcpWrites } from './write-batching.js'

/** What is changed of each transport, measured or mended; one that does not fit the installed library warns once and does nothing. */
export function tunings(log: Log, probes?: LivenessProbes): Record<'tcp' | 'ws' | 'quic', ConnectionTuning> {
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
        const paused = quicMuxerWithBackpressure(factory, probes)
        if (paused === undefined) warnQuic()
        return paused ?? factory
      },
    },
  }
}

export { tuneStream } from './write-batching.js'

/**
 * The QUIC transport's factory; `undefined`, with a warning, where its native library is not there for this platform.
 * A node without QUIC still speaks TCP and WebSocket to everyone.
 */
export async function loadQuic(log: Log): Promise<typeof quic | undefined> {
  try {
    return (await import('@chainsafe/libp2p-quic')).quic
  } catch (error) {
    log.warn('QUIC is not available on this platform; TCP and WebSocket are used', { error })
    return undefined
  }
}
