import type { QuicOptions } from '@chainsafe/libp2p-quic'
import type { TCPOptions } from '@libp2p/tcp'
import type { YamuxMuxerInit } from '@libp2p/yamux'
import type { Libp2pInit } from 'libp2p'
import { CONNECTION_ROOM, type ConnectionRoomOptions } from '../hardening/connection-limits/connection-room.js'
import { INBOUND_GATE, type InboundGateOptions } from '../hardening/connection-limits/inbound-gate.js'
import type { HostOptions } from '../index.js'

/** Parallel streams of one connection. The libraries' defaults (32 to 1000) fail under a few hundred requests. */
const MAX_STREAMS = 10_000

/**
 * Streams a peer may have opened on one connection: the requests that a node sends to one peer at most
 * (`MAX_STREAMS_PER_PEER`), and what else two nodes have between them. A stream that waits costs some 20 KB.
 */
export const MAX_INBOUND_STREAMS = 5_000

/** Bytes a sender may have on the way to a reader that has paused. */
export const MAX_STREAM_WINDOW_BYTES = 4 * 1024 * 1024

/**
 * Bytes a stream buffers before it is aborted. Must not be less than the window, or a paused stream dies. It is more,
 * because data also comes in, without a pause, between the opening of a stream and the moment its handler listens.
 */
export const MAX_READ_BUFFER_BYTES = 16 * 1024 * 1024

/** Quiet (ms) after which the kernel asks the other side whether it is still there: costs no byte of ours. */
const TCP_KEEP_ALIVE_DELAY_MS = 20_000

export const TCP_OPTIONS: TCPOptions = {
  dialOpts: { keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_DELAY_MS },
  listenOpts: { keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_DELAY_MS },
}

export const YAMUX_OPTIONS: YamuxMuxerInit = {
  maxInboundStreams: MAX_INBOUND_STREAMS,
  maxOutboundStreams: MAX_STREAMS,
  // Streams that arrive while this end still sets up the connection; more than the default 10 kill the connection.
  maxEarlyStreams: 1000,
  // @libp2p/tcp drops a socket after 2 minutes without a byte.
  keepAliveInterval: 60_000,
  streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES, maxReadBufferLength: MAX_READ_BUFFER_BYTES },
}

export const QUIC_OPTIONS: Partial<QuicOptions> = {
  maxConcurrentStreamLimit: MAX_INBOUND_STREAMS,
  // What paused streams hold counts against the connection too: with the defaults (10 MB and 15 MB) two slow readers
  // stop every other stream of the connection. Here it takes 128 that are full. The library holds it where nothing of
  // ours can count it, so it is also what one connection may cost.
  maxStreamData: 1024 * 1024,
  maxConnectionData: 128 * 1024 * 1024,
  // An idle connection to a peer that vanished ends after maxIdleTimeout (ms), counted anew from the first keep-alive.
  maxIdleTimeout: 15_000,
  keepAliveInterval: 6_000,
}

/** Dials at a time. */
const MAX_PARALLEL_DIALS = 100

/** How many connections a host has, sets up and dials. */
interface ConnectionLimits {
  connections: ConnectionRoomOptions
  gate: InboundGateOptions
  dials: number
}

/** As the options say, and within the descriptors there are: a connection of TCP or WebSocket takes one. */
export function connectionLimits(options: Pick<HostOptions, 'connections' | 'gate' | 'descriptors'>): ConnectionLimits {
  const { connections = CONNECTION_ROOM, gate = INBOUND_GATE, descriptors } = options
  const most = descriptors ?? { peers: Infinity, handshakes: Infinity, dials: Infinity }
  return {
    connections: { ...connections, max: Math.min(connections.max, most.peers) },
    gate: { ...gate, maxPending: Math.min(gate.maxPending, most.handshakes) },
    dials: Math.min(MAX_PARALLEL_DIALS, most.dials),
  }
}

/**
 * How long a dial to one address may take (ms). Two silent addresses and then a relay have to fit into the 5 s a request
 * waits for its connection. Over a relay it takes some nine round trips where that is not connected yet, and each is as
 * long as those of both ways together.
 */
export const DIAL_WITHIN_MS = { direct: 2_000, relayed: 4_000 } as const

/** libp2p's own limits. */
export const connectionManager = ({ dials }: ConnectionLimits): Libp2pInit['connectionManager'] => ({
  // Evictions are decided in hardening/connection-limits/connection-room.ts: the library refuses newcomers, whatever is held, and closes no
  // connection with a stream of gossip. This is above all that can be on its way in.
  maxConnections: CONNECTION_ROOM.max + INBOUND_GATE.maxPending,
  maxParallelDials: dials,
  maxDialQueueLength: 500,
  // The defaults (5 per second and 10 pending) refuse a network behind one address, and a bootstrap node's rush hour.
  // Both are above what the gate (hardening/connection-limits/inbound-gate.ts) lets through.
  inboundConnectionThreshold: INBOUND_GATE.handshakes.capacity * 2,
  maxIncomingPendingConnections: INBOUND_GATE.maxPending + 1,
  addressDialTimeout: DIAL_WITHIN_MS.relayed,
})

/**
 * The monitor's pings cost about 400 bytes each, at both ends: at the default of 10 s they alone would be several times
 * the whole budget of an idle node. Connections in use are watched (life/liveness-watch.ts); of idle ones TCP keep-alive
 * and QUIC's idle timeout notice dead peers, and this is the last resort for a connection that is open but stuck. The
 * long timeout is for a busy event loop.
 */
export const CONNECTION_MONITOR: Libp2pInit['connectionMonitor'] = {
  pingInterval: 300_000,
  pingTimeout: { minTimeout: 30_000, maxTimeout: 60_000 },
}
