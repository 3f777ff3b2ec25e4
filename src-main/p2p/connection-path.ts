import type { ConnectionLimits } from '@libp2p/interface'
import type { PathKind } from './index.js'

/** How a connection to this multiaddr runs. A connection with limits is one through a relay. */
export function pathKind(multiaddr: string, limits: ConnectionLimits | undefined): PathKind {
  const parts = multiaddr.split('/')
  if (limits !== undefined || parts.includes('p2p-circuit')) return 'relayed'
  if (parts.includes('quic-v1') || parts.includes('quic')) return 'direct-quic'
  if (parts.includes('ws') || parts.includes('wss')) return 'direct-ws'
  return 'direct-tcp'
}
