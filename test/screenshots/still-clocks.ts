import type { MonotonicClock } from '../../src-main/base/clock.js'

/** The time of all pictures, in Unix milliseconds: some hours after what the fake node tells of. */
export const NOW_MS = Date.UTC(2023, 10, 20, 14, 5)

/** Whatever is timed with it took 2 s more than what was timed before, at each run the same. */
export function steppingClock(): MonotonicClock {
  let elapsedMs = 0
  return { elapsedMs: () => (elapsedMs += 2000) }
}

/** From now on this program's clock stands at {@link NOW_MS}, in UTC: what is shown of times is the same at each run. */
export function stopClocks(): void {
  process.env['TZ'] = 'UTC'
  Date.now = () => NOW_MS
}
