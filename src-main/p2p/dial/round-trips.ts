import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p, StreamMessageEvent } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import { openPing } from '../hardening/liveness/pings.js'

/** Measures each new connection once, so that its round trip is known at once; libp2p's monitor does so every 5 min. */
export interface RoundTrips {
  stop(): Promise<void>
}

const PING_BYTES = 32
const TIMEOUT_MS = 10_000
/** Identify and the first table comparison use the connection at the same moment; a ping among them measures them. */
const SETTLE_MS = 300
const MAX_PARALLEL = 16
const MAX_WAITING = 2_000

/** Runs until it is stopped. */
export function createRoundTrips(needs: { libp2p: Libp2p; log: Log; onMeasured?: () => void }): RoundTrips {
  const { libp2p, log, onMeasured } = needs
  const waiting = new Set<Connection>()
  const running = new Set<Promise<void>>()
  const stopped = new AbortController()
  let timer: NodeJS.Timeout | undefined

  async function measure(connection: Connection): Promise<void> {
    try {
      connection.rtt = await ping(connection, AbortSignal.any([stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]))
      onMeasured?.()
    } catch (error) {
      // The peer went away, or does not answer pings: its round trip stays unknown.
      if (!stopped.signal.aborted) log.trace('a round trip could not be measured', { error })
    }
  }

  function work(): void {
    timer = undefined
    for (const connection of waiting) {
      if (stopped.signal.aborted || running.size >= MAX_PARALLEL) return
      waiting.delete(connection)
      if (connection.status !== 'open' || connection.rtt !== undefined) continue
      const task = measure(connection).finally(() => {
        running.delete(task)
        if (waiting.size > 0) work()
      })
      running.add(task)
    }
  }

  const onOpen = (event: CustomEvent<Connection>): void => {
    if (waiting.size >= MAX_WAITING) return
    waiting.add(event.detail)
    timer ??= setTimeout(work, SETTLE_MS)
  }
  libp2p.addEventListener('connection:open', onOpen)
  return {
    async stop() {
      stopped.abort()
      clearTimeout(timer)
      libp2p.removeEventListener('connection:open', onOpen)
      await Promise.all(running)
    },
  }
}

/** Milliseconds, with fractions: nodes of one machine are less than one apart. */
async function ping(connection: Connection, signal: AbortSignal): Promise<number> {
  const stream = await openPing(connection, signal)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  // A refusal that comes before anyone waits is told by what follows.
  promise.catch(() => undefined)
  const onAbort = (): void => reject(new Error('no answer to a ping'))
  signal.addEventListener('abort', onAbort, { once: true })
  const sentAt = performance.now()
  let received = 0
  stream.addEventListener('message', (event: StreamMessageEvent) => {
    received += event.data.byteLength
    if (received >= PING_BYTES) resolve(performance.now() - sentAt)
  })
  stream.addEventListener('close', () => reject(new Error('the ping was refused')))
  try {
    stream.send(randomBytes(PING_BYTES))
    const ms = await promise
    await stream.close({ signal })
    return ms
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error('ping failed'))
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
