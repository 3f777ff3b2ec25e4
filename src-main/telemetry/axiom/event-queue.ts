import type { Log } from '../../logging/index.js'
import type { TelemetryEvent } from './events.js'

/** What came of sending a batch: `retry` may work later, `refused` never will. */
export type SendResult = { kind: 'sent' } | { kind: 'retry' | 'refused'; reason: string }

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

/** What a queue works with; `send` never rejects but for an aborted signal. */
export interface EventQueueNeeds {
  send: (batch: readonly TelemetryEvent[], signal: AbortSignal) => Promise<SendResult>
  log: Log
}

/** Events on their way out: in batches, one at a time, and never more in memory than the options say. */
export class EventQueue {
  readonly #needs: EventQueueNeeds
  readonly #options: Required<EventQueueOptions>
  readonly #queued: TelemetryEvent[] = []
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #lost = 0
  #nextTold = 1

  constructor(needs: EventQueueNeeds, options: EventQueueOptions = {}) {
    const { maxBatch = 500, maxQueued = 5_000, waitMs = 2_000, retryAfterMs = [1_000, 2_000, 4_000] } = options
    this.#needs = needs
    this.#options = { maxBatch, maxQueued, waitMs, retryAfterMs }
  }

  /** Waiting to be sent. */
  get size(): number {
    return this.#queued.length
  }

  /** Lost because the queue was full or the other end did not take them. */
  get lost(): number {
    return this.#lost
  }

  /** Takes an event; never waits and never throws. */
  push(event: TelemetryEvent): void {
    if (this.#closed !== undefined) return
    if (this.#queued.length >= this.#options.maxQueued) {
      this.#queued.shift()
      this.#lose(1, 'too many wait to be sent')
    }
    this.#queued.push(event)
    if (this.#working === undefined) this.#schedule()
  }

  /** Sends what is left within `withinMs`; what does not go then is lost. */
  close(withinMs: number): Promise<void> {
    this.#closed ??= this.#finish(withinMs)
    return this.#closed
  }

  #schedule(): void {
    if (this.#queued.length >= this.#options.maxBatch) this.#begin()
    else this.#timer ??= setTimeout(() => this.#begin(), this.#options.waitMs).unref()
  }

  #begin(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      if (this.#queued.length > 0 && this.#closed === undefined) this.#schedule()
    })
  }

  async #work(): Promise<void> {
    while (this.#queued.length > 0 && !this.#closing.signal.aborted) {
      const batch = this.#queued.splice(0, this.#options.maxBatch)
      const problem = await this.#deliver(batch)
      if (problem !== undefined) this.#lose(batch.length, problem)
    }
  }

  /** Sends a batch, again where that may help; gives the reason if it was in vain. */
  async #deliver(batch: readonly TelemetryEvent[]): Promise<string | undefined> {
    const { send, log } = this.#needs
    const { signal } = this.#closing
    for (const waitMs of [...this.#options.retryAfterMs, undefined]) {
      const result = await send(batch, signal)
      if (result.kind === 'sent') return undefined
      if (result.kind === 'refused' || waitMs === undefined) return result.reason
      log.debug('Axiom did not take a batch', { reason: result.reason, events: batch.length })
      await pause(waitMs, signal)
      if (signal.aborted) break
    }
    return 'the node stopped'
  }

  #lose(count: number, reason: string): void {
    this.#lost += count
    if (this.#lost < this.#nextTold) return
    // Told at 1, 10, 100, …: an outage must not fill the log.
    while (this.#nextTold <= this.#lost) this.#nextTold *= 10
    this.#needs.log.warn('events for Axiom were lost', { reason, lost: this.#lost })
  }

  async #finish(withinMs: number): Promise<void> {
    const limit = setTimeout(() => this.#closing.abort(), withinMs)
    this.#begin()
    await this.#working
    clearTimeout(limit)
    this.#closing.abort()
    if (this.#queued.length > 0) this.#lose(this.#queued.length, 'the node stopped')
    this.#queued.length = 0
  }
}

/** Ends after `ms`, or as soon as the signal has aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
}
