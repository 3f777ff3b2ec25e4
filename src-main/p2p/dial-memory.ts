import type { Transport } from '@libp2p/interface'
import { systemClock, type Clock } from '../clock.js'
import type { TransportFactory } from './transport-tuning/intercept-upgrade.js'

/** Which addresses did not answer a moment ago, and why. */
export interface DialMemory {
  failedLately(address: string): boolean
  /** A transport whose dials are remembered, and given up when their signal says so. */
  watch<C>(factory: TransportFactory<C>): TransportFactory<C>
}

/** How long an address that failed is tried last. */
const FORGET_AFTER_MS = 2 * 60_000
const MAX_ADDRESSES = 2_000

/** Remembers failures of the last two minutes. */
export function createDialMemory(clock: Clock = systemClock): DialMemory {
  const failedAtMs = new Map<string, number>()

  function remember(address: string): void {
    failedAtMs.delete(address)
    failedAtMs.set(address, clock.now())
    const [oldest] = failedAtMs.keys()
    if (failedAtMs.size > MAX_ADDRESSES && oldest !== undefined) failedAtMs.delete(oldest)
  }

  return {
    failedLately(address) {
      const atMs = failedAtMs.get(withoutPeer(address))
      return atMs !== undefined && clock.now() - atMs < FORGET_AFTER_MS
    },
    watch: (factory) => (components) => {
      const transport = factory(components)
      const dial = transport.dial.bind(transport)
      transport.dial = (async (address, options) => {
        const key = withoutPeer(address.toString())
        try {
          const connection = await withSignal(dial(address, options), options.signal)
          failedAtMs.delete(key)
          return connection
        } catch (error) {
          remember(key)
          throw error
        }
      }) as Transport['dial']
      return transport
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
