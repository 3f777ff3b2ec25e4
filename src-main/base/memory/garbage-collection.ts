import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

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

/** What {@link tuneGarbageCollection} makes of it; V8's own is 2. */
let growthFactor = 2

function setGrowthFactor(factor: number): void {
  growthFactor = factor
  setFlagsFromString(`--semi-space-growth-factor=${factor}`)
}

/** Sets what of V8 is another from the first moment on; once or more often. docs/decisions/0014 has the reasons. */
export function tuneAllocation(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  if (process.versions.v8.startsWith('13.')) setFlagsFromString('--external-memory-accounted-in-global-limit')
}

/** Does something under the flags that V8 had after {@link tuneAllocation}: compiled code is taken under no others. */
export function underFirstFlags<T>(work: () => T): T {
  const factor = growthFactor
  setGrowthFactor(2)
  try {
    return work()
  } finally {
    setGrowthFactor(factor)
  }
}

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
  tuneAllocation()
  let mayGrow = true
  const observer = new PerformanceObserver(() => {
    const isSmall = youngBytes() < (running() < BUSY_REQUESTS ? ENOUGH_AT_REST_BYTES : ENOUGH_BYTES)
    if (isSmall === mayGrow) return
    mayGrow = isSmall
    setGrowthFactor(mayGrow ? 2 : 1)
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    observer.disconnect()
    setGrowthFactor(2)
  }
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
}
