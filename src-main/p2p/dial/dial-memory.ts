import type { Transport } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import type { TransportFactory } from '../hardening/transports/intercept-upgrade.js'
import { DIAL_WITHIN_MS } from '../host/limits.js'
import { relayOf } from './ip-scope.js'

/** Which addresses did not answer a moment ago, and why. */
export interface DialMemory {
  failedLately(address: string): boolean
  /** The peer at this address fell silent, and what is reached through it as a relay with it. */
  fellSilent(address: string, peerId: string): void
  /** A transport whose dials are remembered, and given up when their signal says so. */
  watch<C>(factory: TransportFactory<C>): TransportFactory<C>
}

/** How long an address that failed is tried last. */
const FORGET_AFTER_MS = 2 * 60_000
const MAX_ADDRESSES = 2_000

/**
 * How long a relay that fell silent, or over which a peer was not heard of, is left alone. It has several addresses, each
 * of them a way to the same silence, and a request waits 5 s for its connection in all.
 */
const NOT_TWICE_WITHIN_MS = 5_000

/** Remembers failures of the last two minutes. */
export function createDialMemory(clock: MonotonicClock = monotonicClock): DialMemory {
  /** When addresses, relays and ways over relays failed last. */
  const failedAtMs = new Map<string, number>()

  function remember(key: string): void {
    failedAtMs.delete(key)
    failedAtMs.set(key, clock.elapsedMs())
    const [oldest] = failedAtMs.keys()
    if (failedAtMs.size > MAX_ADDRESSES && oldest !== undefined) failedAtMs.delete(oldest)
  }

  function hasFailed(key: string | undefined, withinMs: number): boolean {
    const atMs = key === undefined ? undefined : failedAtMs.get(key)
    return atMs !== undefined && clock.elapsedMs() - atMs < withinMs
  }

  return {
    failedLately: (address) =>
      hasFailed(withoutPeer(address), FORGET_AFTER_MS) || hasFailed(relayOf(address), FORGET_AFTER_MS),
    fellSilent(address, peerId) {
      remember(withoutPeer(address))
      remember(peerId)
    },
    watch: (factory) => (components) => {
      const transport = factory(components)
      const dial = transport.dial.bind(transport)
      transport.dial = (async (address, options) => {
        const text = address.toString()
        const key = withoutPeer(text)
        const way = wayOverRelay(text)
        if ([way, relayOf(text)].some((silent) => hasFailed(silent, NOT_TWICE_WITHIN_MS)))
          throw new Error('nothing was heard over this relay a moment ago')
        const { signal, clear } = limited(options.signal, DIAL_WITHIN_MS[way === undefined ? 'direct' : 'relayed'])
        try {
          const connection = await withSignal(dial(address, { ...options, signal }), signal)
          failedAtMs.delete(key)
          failedAtMs.delete(relayOf(text) ?? connection.remotePeer.toString())
          return connection
        } catch (error) {
          remember(key)
          if (way !== undefined && signal.aborted) remember(way)
          throw error
        } finally {
          clear()
        }
      }) as Transport['dial']
      return transport
    },
  }
}

/**
 * A signal that also aborts after `ms`, until it is cleared: a socket keeps the signal it was dialled with, and one that
 * aborts later would end the connection. The library knows one time for all dials, that of the longest.
 */
function limited(outer: AbortSignal, ms: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(outer.reason)
  const timer = setTimeout(() => controller.abort(new Error('nothing answered in time')), ms)
  if (outer.aborted) onAbort()
  else outer.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer)
      outer.removeEventListener('abort', onAbort)
    },
  }
}

/** The QUIC transport does not listen to its signal: a dial to a silent address would hold up the next one. */
async function withSignal<T extends { abort(error: Error): void }>(
  dialling: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await dialling
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => {
    const reason: unknown = signal.reason
    const error = reason instanceof Error ? reason : new Error('the dial was given up')
    reject(error)
    dialling.then(
      (late) => late.abort(error),
      () => undefined,
    )
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([dialling, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** `/p2p/<peer>` at the end says who is wanted, not where; in a circuit address it does. */
function withoutPeer(address: string): string {
  return address.includes('/p2p-circuit') ? address : address.replace(/\/p2p\/[^/]+$/, '')
}

/** Relay and peer, whichever address the relay is dialled at; undefined for an address without a relay. */
function wayOverRelay(address: string): string | undefined {
  const relay = relayOf(address)
  return relay === undefined ? undefined : `${relay} ${address.slice(address.lastIndexOf('/') + 1)}`
}
