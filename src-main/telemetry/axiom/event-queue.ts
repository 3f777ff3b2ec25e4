import type { Log } from '../../logging/index.js'
import type { TelemetryEvent } from './events.js'

/** What came of sending a batch: `retry` may work later, `refused` never will. */
export type SendResult = { kind: 'sent' } | { kind: 'retry' | 'refused'; reason: string }

export interface EventQueue {
  /** Takes an event; never waits and never throws. */
  push(event: TelemetryEvent): void
  /** Sends what is left within `withinMs`; what does not go then is lost. */
  close(withinMs: number): Promise<void>
  /** Waiting to be sent. */
  readonly size: number
  /** Lost because the queue was full or the other end did not take them. */
  readonly lost: number
}

/** How much waits, and for how long. */
export interface EventQueueOptions {
  /** Events of one request (default 500). */
  maxBatch?: number
  /** Events that wait at most; the oldest go first (default 5,000). */
  maxQueued?: number
  /** An event waits this long for others (default 2 s). */
  waitMs?: number
  /** Waits before a batch is sent again; after the last one it is given up (default 1, 2, 4 s). */
  retryAfterMs?: readonly number[]
}

/** Events on their way out: in batches, one at a time, and never more in memory than the options say. */
export function createEventQueue(
  needs: { send: (batch: readonly TelemetryEvent[], signal: AbortSignal) => Promise<SendResult>; log: Log },
  options: EventQueueOptions = {},
): EventQueue {
  const { send, log } = needs
  const { maxBatch = 500, maxQueued = 5_000, waitMs = 2_000, retryAfterMs = [1_000, 2_000, 4_000] } = options
  const queued: TelemetryEvent[] = []
  const closing = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void> | undefined
  let lost = 0
  let nextTold = 1
  let closed: Promise<void> | undefined

  function lose(count: number, reason: string): void {
    lost += count
    if (lost < nextTold) return
    // Told at 1, 10, 100, …: an outage must not fill the log.
    while (nextTold <= lost) nextTold *= 10
    log.warn('events for Axiom were lost', { reason, lost })
  }

  async function deliver(batch: readonly TelemetryEvent[]): Promise<void> {
    for (const wait of [0, ...retryAfterMs]) {
      if (wait > 0) await pause(wait, closing.signal)
      const result = await send(batch, closing.signal)
      if (result.kind === 'sent') return
      if (result.kind === 'refused' || wait === retryAfterMs.at(-1)) {
        lose(batch.length, result.reason)
        return
      }
      log.debug('Axiom did not take a batch', { reason: result.reason, events: batch.length })
    }
  }

  async function work(): Promise<void> {
    while (queued.length > 0 && !closing.signal.aborted) {
      const batch = queued.splice(0, maxBatch)
      try {
        await deliver(batch)
      } catch (error) {
        lose(batch.length, error instanceof Error ? error.message : 'failed')
      }
    }
  }

  function begin(): void {
    clearTimeout(timer)
    timer = undefined
    working ??= work().finally(() => {
      working = undefined
      if (queued.length > 0 && closed === undefined) schedule()
    })
  }

  function schedule(): void {
    if (queued.length >= maxBatch) begin()
    else if (timer === undefined) {
      timer = setTimeout(begin, waitMs)
      timer.unref()
    }
  }

  async function finish(withinMs: number): Promise<void> {
    const limit = setTimeout(() => closing.abort(new Error('the node stopped')), withinMs)
    begin()
    await working
    clearTimeout(limit)
    closing.abort()
    if (queued.length > 0) lose(queued.length, 'the node stopped')
    queued.length = 0
  }

  return {
    push(event) {
      if (closed !== undefined) return
      if (queued.length >= maxQueued) {
        queued.shift()
        lose(1, 'too many wait to be sent')
      }
      queued.push(event)
      if (working === undefined) schedule()
    },
    close(withinMs) {
      closed ??= finish(withinMs)
      return closed
    },
    get size() {
      return queued.length
    },
    get lost() {
      return lost
    },
  }
}

/** Rejects when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}
