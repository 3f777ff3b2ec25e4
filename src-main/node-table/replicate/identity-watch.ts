import type { Clock, MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { type LogicalTime, timeOf } from '../wire/epoch.js'

/** Two machines with one identity sign against each other every five minutes, at the latest. */
const COUNTS_FOR_MS = 15 * 60 * 1000

/**
 * Notices that another machine uses this node's identity, as after a backup was restored on a second one: it signs rows,
 * which come from the network. A row that an earlier run of this node signed is no sign of it.
 */
export class IdentityWatch {
  readonly #clock: Clock
  readonly #monotonic: MonotonicClock
  readonly #log: Log
  readonly #startedAt: number
  #seenAt: number | undefined

  constructor(needs: { clock: Clock; monotonic: MonotonicClock; log: Log }) {
    this.#clock = needs.clock
    this.#monotonic = needs.monotonic
    this.#log = needs.log
    this.#startedAt = needs.monotonic.elapsedMs()
  }

  /** A row under this node's id is newer than all that this node signed. */
  seen(row: LogicalTime): void {
    const [now, elapsed] = [this.#clock.now(), this.#monotonic.elapsedMs()]
    // As the clock is now: it may have been set since the start. Of a row from the time to come an earlier run with a wrong
    // clock is more likely the author.
    const startedAtMs = now - (elapsed - this.#startedAt)
    const signedAtMs = timeOf(row)
    if (signedAtMs <= startedAtMs || signedAtMs > now) return
    if (!this.isElsewhere) this.#log.warn('another machine uses this node’s identity: stop one of them')
    this.#seenAt = elapsed
  }

  /** Whether another machine used this node's identity within the last quarter of an hour. */
  get isElsewhere(): boolean {
    return this.#seenAt !== undefined && this.#monotonic.elapsedMs() - this.#seenAt < COUNTS_FOR_MS
  }
}
