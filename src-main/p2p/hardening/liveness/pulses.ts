import type { Connection, StreamMuxer } from '@libp2p/interface'

/** What can be seen and asked of the other end of a connection. */
export interface Pulse {
  /** True when a byte of any kind came in since the last call. */
  takeHeard(): boolean
  /** Asks for a sign of life; the answer is heard like anything else. Must not throw. */
  ask(): void
  /** Bytes of ours that wait in the multiplexer's pipe. */
  unsentBytes(): number
}

/** The pulse of each connection, by its multiplexer: there the bytes come by. */
export interface Pulses {
  add(muxer: StreamMuxer, pulse: Pulse): void
  /** Undefined where the multiplexer is none that is known. */
  of(connection: Connection): Pulse | undefined
}

/** Forgets a multiplexer with its connection. */
export function createPulses(): Pulses {
  const pulses = new WeakMap<object, Pulse>()
  return {
    add: (muxer, pulse) => void pulses.set(muxer, pulse),
    of(connection) {
      const muxer: unknown = Reflect.get(connection, 'muxer')
      return typeof muxer === 'object' && muxer !== null ? pulses.get(muxer) : undefined
    },
  }
}
