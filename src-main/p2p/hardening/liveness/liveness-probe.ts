// For libp2p 3.3.11: a connection shows neither when a byte last came in nor what waits to be sent, so both are read
// off its multiplexer and its socket. Goes when connections tell.

import type { Connection, StreamMuxer } from '@libp2p/interface'

/** What can be seen and asked of the other end of a connection. */
export interface LivenessProbe {
  /** True when a byte of any kind came in since the last call. */
  takeHeard(): boolean
  /** Asks for an answer, which is heard like anything else. Must not throw. */
  ask(): void
  /** Bytes of ours that wait in the multiplexer's pipe. */
  unsentBytes(): number
  /** Counts what comes in, where the other end's transport acknowledges what it gets at once, whatever its program does. */
  received?: () => number | bigint
}

/** The probe of each connection, by its multiplexer: there the bytes come by. */
export interface LivenessProbes {
  add(muxer: StreamMuxer, probe: LivenessProbe): void
  /** Undefined where the multiplexer is none that is known. */
  of(connection: Connection): LivenessProbe | undefined
}

/** Forgets a multiplexer with its connection. */
export function createLivenessProbes(): LivenessProbes {
  const probes = new WeakMap<object, LivenessProbe>()
  return {
    add: (muxer, probe) => void probes.set(muxer, probe),
    of(connection) {
      const muxer: unknown = Reflect.get(connection, 'muxer')
      return typeof muxer === 'object' && muxer !== null ? probes.get(muxer) : undefined
    },
  }
}

/** What of ours waits below a connection's encryption, and what went there since the connection began. */
export interface SendBuffer {
  waitingBytes: number
  writtenBytes: number
  /** What the kernel has taken of it; undefined where it does not tell. */
  takenBytes: number | undefined
}

/**
 * Read off the socket of a TCP connection or of an accepted WebSocket. A WebSocket that was dialled hides its socket and
 * tells only what it holds; of a relayed connection only its own buffer is seen.
 */
export function sendBufferOf(connection: Connection): SendBuffer {
  const raw = property(connection, 'maConn')
  const webSocket = property(raw, 'websocket')
  const handle = property(property(raw, 'socket') ?? property(webSocket, '_socket'), '_handle')
  const queued = number(handle, 'writeQueueSize')
  const written = number(handle, 'bytesWritten')
  const above = number(raw, 'writeBufferLength') ?? 0
  if (queued !== undefined && written !== undefined) {
    return { waitingBytes: above + queued, writtenBytes: written, takenBytes: written - queued }
  }
  return {
    waitingBytes: above + (number(webSocket, 'bufferedAmount') ?? 0),
    writtenBytes: number(raw, 'writtenBytes') ?? 0,
    takenBytes: undefined,
  }
}

/** The address of this machine that a connection is bound to; undefined where its transport hides it. */
export function localAddressOf(connection: Connection): string | undefined {
  const raw = property(connection, 'maConn')
  const socket = property(raw, 'socket') ?? property(property(raw, 'websocket'), '_socket')
  const address = property(socket, 'localAddress')
  return typeof address === 'string' ? address.replace(/^::ffff:/, '').replace(/%.*$/, '') : undefined
}

const property = (object: unknown, name: string): unknown =>
  typeof object === 'object' && object !== null ? (Reflect.get(object, name) as unknown) : undefined

function number(object: unknown, name: string): number | undefined {
  const value = property(object, name)
  return typeof value === 'number' ? value : undefined
}

/** Bytes the network took between two checks, out of what waited at the first one. */
export function takenBetween(before: SendBuffer, now: SendBuffer): number {
  if (before.waitingBytes === 0) return 0
  if (before.takenBytes !== undefined && now.takenBytes !== undefined) return now.takenBytes - before.takenBytes
  return Math.max(0, before.waitingBytes - now.waitingBytes)
}
