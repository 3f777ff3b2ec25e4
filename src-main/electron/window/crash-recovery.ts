import type { MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'

/** The part of a window's contents that is used. */
export interface CrashingContents {
  on(event: 'render-process-gone', listener: (event: unknown, details: { reason: string }) => void): unknown
  reload(): void
}

/** A page that crashes more often than this within five minutes is not reloaded. */
export const MAX_RELOADS = 1
const WITHIN_MS = 5 * 60_000

/** Reloads a page whose process crashed; one that crashes again soon is left to `gaveUp`. The node runs on. */
export function reloadAfterCrash(
  contents: CrashingContents,
  needs: { monotonic: MonotonicClock; log: Log; gaveUp: () => void },
): void {
  const log = needs.log.forComponent('window')
  let reloadsAtMs: number[] = []
  contents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return
    const nowMs = needs.monotonic.elapsedMs()
    reloadsAtMs = reloadsAtMs.filter((atMs) => nowMs - atMs < WITHIN_MS)
    if (reloadsAtMs.length >= MAX_RELOADS) {
      log.error('the window crashed again and is not reloaded', { reason, reloads: MAX_RELOADS })
      needs.gaveUp()
      return
    }
    reloadsAtMs.push(nowMs)
    log.warn('the window crashed and is reloaded', { reason, reload: reloadsAtMs.length, of: MAX_RELOADS })
    contents.reload()
  })
}

/** Restarts in a row after a crash; the next crash is the last. */
export const MAX_RESTARTS = 2
/** After a run of this length the count starts again. */
const GOOD_AFTER_MS = 10 * 60_000

/**
 * The restart count of the next start; undefined for no restart, so that a program that crashes at once does not
 * restart for ever.
 */
export function nextRestart(
  needs: { monotonic: MonotonicClock },
  run: { restarts: number; startedAtMs: number },
): number | undefined {
  const wasGood = needs.monotonic.elapsedMs() - run.startedAtMs >= GOOD_AFTER_MS
  const next = wasGood ? 1 : run.restarts + 1
  return next > MAX_RESTARTS ? undefined : next
}
