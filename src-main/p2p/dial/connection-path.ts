import type { Connection, ConnectionLimits } from '@libp2p/interface'
import type { PathKind } from '#shared/contract/network/peers.js'
import type { PeerConnection } from '../index.js'
import { relayOf } from './ip-scope.js'

/** How a connection to this multiaddr runs. A connection with limits is one through a relay. */
export function pathKind(multiaddr: string, limits: ConnectionLimits | undefined): PathKind {
  const parts = multiaddr.split('/')
  if (limits !== undefined || parts.includes('p2p-circuit')) return 'relayed'
  if (parts.includes('quic-v1') || parts.includes('quic')) return 'direct-quic'
  if (parts.includes('ws') || parts.includes('wss')) return 'direct-ws'
  return 'direct-tcp'
}

/** A connection as this node tells of it. */
export function describeConnection(connection: Connection, { isPunched }: { isPunched: boolean }): PeerConnection {
  const { remotePeer, remoteAddr, limits, direction, timeline, rtt } = connection
  const multiaddr = remoteAddr.toString()
  const path = pathKind(multiaddr, limits)
  const relayPeerId = relayOf(multiaddr)
  return {
    peerId: remotePeer.toString(),
    multiaddr,
    path: isPunched && path !== 'relayed' ? 'hole-punched' : path,
    direction,
    openedAtMs: timeline.open,
    ...(relayPeerId === undefined ? {} : { relayPeerId }),
    ...(rtt === undefined ? {} : { rttMs: rtt }),
    ...(limits === undefined
      ? {}
      : {
          relayBudget: {
            bytes: limits.bytes === undefined ? undefined : Number(limits.bytes),
            seconds: limits.seconds,
          },
        }),
  }
}
