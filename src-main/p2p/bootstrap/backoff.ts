/** Waits in ms after the first, second, … attempt without a peer: quick at first, then 5 s doubling. */
const FIRST_DELAYS_MS = [1_000, 2_000, 4_000]
const BASE_DELAY_MS = 5_000
const MAX_DELAY_MS = 120_000

/**
 * How long to wait after `failures` (≥ 1) attempts in a row that found no peer, in ms. `random` in [0, 1) takes up to a
 * third off, so that nodes that lost their bootstrap together do not come back together.
 */
export function bootstrapDelayMs(failures: number, random: number): number {
  const slow = failures - FIRST_DELAYS_MS.length - 1
  const delay = FIRST_DELAYS_MS[failures - 1] ?? Math.min(BASE_DELAY_MS * 2 ** Math.min(slow, 10), MAX_DELAY_MS)
  return Math.round(delay * (1 - random / 3))
}
