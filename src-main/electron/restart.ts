import type { Clock } from '../base/clock.js'

/** Starts in a row that may end in a crash; the next crash is the last. */
export const MAX_RESTARTS = 2
/** A start that ran so long was a good one: its crash counts as the first. */
const GOOD_AFTER_MS = 10 * 60_000

/**
 * How many restarts the next start shall count, undefined when there shall be none: a program that crashes at once
 * would otherwise start for ever.
 */
export function nextRestart(
  needs: { clock: Clock },
  run: { restarts: number; startedAtMs: number },
): number | undefined {
  const wasGood = needs.clock.now() - run.startedAtMs >= GOOD_AFTER_MS
  const next = wasGood ? 1 : run.restarts + 1
  return next > MAX_RESTARTS ? undefined : next
}
