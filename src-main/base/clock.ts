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
