import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MIB = 1024 * 1024
/**
 * Bytes of the space for young objects, both halves, beyond which it shall not grow. V8 goes to 128 MiB under load, which
 * with 1,000 streams is more than all of them take; from 32 MiB on, more gains nothing that could be measured
 * (`--max-semi-space-size` of 16 and of 32: 24,600 and 25,000 requests a second at 64 at a time).
 */
const ENOUGH_BYTES = 32 * MIB
/** The same while few requests run: what others make a node read, such as rows by the thousand, gains nothing by more. */
const ENOUGH_AT_REST_BYTES = 16 * MIB
/** Requests at a time that make a node busy. */
const BUSY_REQUESTS = 8
/** By then the first connections and tables are made, and what starting needed is garbage. */
const AFTER_START_MS = 10_000

/**
 * Suits V8's garbage collector to requests, of which each makes much that nobody wants a moment later. Returns the way
 * to leave it alone again. `running`: requests that run now. docs/decisions/0014 has the figures.
 *
 * V8 makes objects in the old generation when others of their kind lived long ("allocation site pretenuring"). Under load
 * it comes to that for a request's own objects; each of them then keeps all that the request made until the next
 * collection of the whole heap.
 *
 * It also collects the whole heap after every 64 MB of buffers, however little lives in it. V8 13 can be told to look at
 * buffers and heap together; its successors do so by themselves.
 */
export function tuneGarbageCollection(running: () => number): () => void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  if (process.versions.v8.startsWith('13.')) setFlagsFromString('--external-memory-accounted-in-global-limit')
  let mayGrow = true
  const observer = new PerformanceObserver(() => {
    const isSmall = youngBytes() < (running() < BUSY_REQUESTS ? ENOUGH_AT_REST_BYTES : ENOUGH_BYTES)
    if (isSmall === mayGrow) return
    mayGrow = isSmall
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    observer.disconnect()
    setFlagsFromString('--semi-space-growth-factor=2')
  }
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
}

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
