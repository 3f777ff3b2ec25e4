import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Clock } from './clock.js'

/** Time for those who also wait; a test brings its own. */
export interface SleepingClock extends Clock {
  /** Resolves after `ms` (0 to 24 days; what is outside counts as the nearer end) or as soon as `signal` aborts, whichever is first; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Node's timers overflow beyond this and would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's clock; it never jumps back when the machine's time is set. */
export const systemSleepingClock: SleepingClock = {
  now: () => performance.timeOrigin + performance.now(),
  async sleep(ms, signal) {
    try {
      await sleepFor(Math.min(Math.max(ms, 0), MAX_TIMER_MS), undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  },
}
