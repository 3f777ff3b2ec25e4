import type { Clock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'

/** What is used of a window's contents. */
export interface CrashingContents {
  on(event: 'render-process-gone', listener: (event: unknown, details: { reason: string }) => void): unknown
  reload(): void
}

/** A page that crashes more often than this within {@link WITHIN_MS} is not loaded again. */
export const MAX_RELOADS = 3
const WITHIN_MS = 5 * 60_000

/** Loads a page whose process crashed again, a few times; then `gaveUp` is called instead. The node is not concerned. */
export function reloadAfterCrash(
  contents: CrashingContents,
  needs: { clock: Clock; log: Log; gaveUp: () => void },
): void {
  const log = needs.log.forComponent('window')
  let reloadsAtMs: number[] = []
  contents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return
    const nowMs = needs.clock.now()
    reloadsAtMs = reloadsAtMs.filter((atMs) => nowMs - atMs < WITHIN_MS)
    if (reloadsAtMs.length >= MAX_RELOADS) {
      log.error('the window crashed too often and is not loaded again', { reason, reloads: MAX_RELOADS })
      needs.gaveUp()
      return
    }
    reloadsAtMs.push(nowMs)
    log.warn('the window crashed and is loaded again', { reason, reload: reloadsAtMs.length, of: MAX_RELOADS })
    contents.reload()
  })
}
