/** Where the time comes from; tests pass one they turn by hand. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() }
