import type { quic } from '@chainsafe/libp2p-quic'
import type { Log } from '../../logging/index.js'

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
