import { setTimeout as sleepFor } from 'node:timers/promises'

/** Monotonic time for those who also wait; a test brings its own. */
export interface SleepingClock extends MonotonicClock {
  /** Resolves after `ms` (0 to 24 days; what is outside counts as the nearer end) or as soon as `signal` aborts, whichever is first; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Node's timers overflow beyond this and would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's monotonic clock and timers. */
export const systemSleepingClock: SleepingClock = {
  elapsedMs: () => monotonicClock.elapsedMs(),
  async sleep(ms, signal) {
    try {
      await sleepFor(Math.min(Math.max(ms, 0), MAX_TIMER_MS), undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  },
}

/** A sleep that others can end early, again and again; it also ends with `stopped`. */
export class InterruptibleSleep {
  readonly #clock: SleepingClock
  readonly #stopped: AbortSignal
  #interruption = new AbortController()

  constructor(clock: SleepingClock, stopped: AbortSignal) {
    this.#clock = clock
    this.#stopped = stopped
  }

  /**
   * Sleeps for `ms`, or until {@link InterruptibleSleep.interrupt}; an interruption since the last sleep counts. True when
   * it was interrupted or stopped.
   */
  async sleep(ms: number): Promise<boolean> {
    await this.#clock.sleep(ms, AbortSignal.any([this.#interruption.signal, this.#stopped]))
    const wasInterrupted = this.#interruption.signal.aborted
    this.forgetInterruption()
    return wasInterrupted || this.#stopped.aborted
  }

  /** Ends the sleep, or the next one where none is under way. */
  interrupt(): void {
    this.#interruption.abort()
  }

  /** The next sleep is a whole one, whatever came before. */
  forgetInterruption(): void {
    if (this.#interruption.signal.aborted) this.#interruption = new AbortController()
  }
}

/** Where the time comes from; tests pass one they turn by hand. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() }

/** Time that only goes forward, for durations, deadlines and countdowns; it says nothing of the day. */
export interface MonotonicClock {
  /** Milliseconds since some moment of this process's life, with fractions. */
  elapsedMs(): number
}

/** The machine's monotonic clock. */
export const monotonicClock: MonotonicClock = { elapsedMs: () => performance.now() }
