import type { BucketRate } from '../../base/token-bucket.js'

/** How often tables are compared without a reason, in ms. */
const ROUND_EVERY_MS = 60_000
/** Peers that a round compares tables with. */
export const PEERS_PER_ROUND = 2
/** A client id and a clock, there and back. */
const STATE_BYTES_PER_ROW = 24
/** Of the budget, what rounds may cost; whoever is asked pays as much again. */
const SHARE_OF_ROUNDS = 0.1
/** What rounds may cost at once: a small network never comes near it, and a partition heals without a wait. */
const SAVED_BYTES = 1024 * 1024

/**
 * Rows that a partial table sends in one sync, taken at random. Whole tables are sent in full: there each row should be
 * at every node.
 */
export const ROWS_OF_PARTIAL_SYNC = 64

/**
 * Syncs with peers that this node connects to, where the table is not small: those of a start, then few. Lookups in a
 * large network connect to some forty peers each.
 */
export const SYNCS_ON_CONNECT: BucketRate = { capacity: 8, refillPerS: 1 / 600 }

/** Milliseconds between two rounds of comparing a table of `rows` entries: their state vectors alone stay within the budget. */
export function roundEveryMs(
  rows: number,
  { everyMs = ROUND_EVERY_MS, budgetBytesPerS }: { everyMs?: number | undefined; budgetBytesPerS: number },
): number {
  const stateBytes = rows * STATE_BYTES_PER_ROW * PEERS_PER_ROUND
  return Math.max(everyMs, (stateBytes / budgetBytesPerS) * 1000)
}

/** Bytes of rows and state vectors that rounds may cost. Of partial tables hardly any two are the same. */
export function bytesOfRounds(budgetBytesPerS: number): BucketRate {
  return { capacity: SAVED_BYTES, refillPerS: budgetBytesPerS * SHARE_OF_ROUNDS }
}
