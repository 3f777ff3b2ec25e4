import { monotonicClock, type MonotonicClock } from '../base/clock.js'

/**
 * For what may come a thousand times a second and is worth a line now and then: calls `write` at once, and then at most
 * every `everyMs`, with how often it was left out since.
 */
export function atMostEvery(
  everyMs: number,
  write: (leftOut: number) => void,
  clock: MonotonicClock = monotonicClock,
): () => void {
  let writtenAtMs = Number.NEGATIVE_INFINITY
  let leftOut = 0
  return () => {
    const nowMs = clock.elapsedMs()
    if (nowMs - writtenAtMs < everyMs) {
      leftOut += 1
      return
    }
    const count = leftOut
    writtenAtMs = nowMs
    leftOut = 0
    write(count)
  }
}
