import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** By then the first connections and tables are made, and what starting needed is garbage. */
const AFTER_START_MS = 10_000

/**
 * Collects the garbage of starting once, some seconds later: V8 would keep it until the next busy time, and the process
 * about 35 MB bigger (160 MB instead of 125; see test/bench/startup.ts). It takes some 50 ms. Returns the way to call it off.
 */
export function tidyMemoryAfterStart(afterMs = AFTER_START_MS): () => void {
  const timer = setTimeout(collectGarbage, afterMs)
  // Nothing waits for it.
  timer.unref()
  return () => clearTimeout(timer)
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined
  setFlagsFromString('--no-expose-gc')
  collect?.()
}
