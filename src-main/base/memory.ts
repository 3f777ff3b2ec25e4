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

/** When the garbage of starting is collected. */
export interface TidyOptions {
  /** How long after the start, ms; as long again where a request is at work then. */
  afterMs?: number
  /** Requests that run now: none has to wait for the collection. */
  running?: () => number
  /** Done right before it, so that what it leaves is collected too. */
  first?: () => void
}

/**
 * Collects the garbage of starting once, some seconds later: V8 would keep it until the next busy time, and the process
 * about 35 MB bigger (see test/bench/startup.ts). As thoroughly as before it would run out of memory: only then it gives
 * back the pages of young objects that it no longer needs, 17 MB of 126. Takes some 50 to 100 ms. Returns the way to call
 * it off.
 */
export function tidyMemoryAfterStart(options: TidyOptions = {}): () => void {
  const { afterMs = AFTER_START_MS, running = () => 0, first } = options
  const timer = setInterval(() => {
    if (running() > 0) return
    clearInterval(timer)
    first?.()
    collectGarbage()
  }, afterMs)
  // Nothing waits for it.
  timer.unref()
  return () => clearInterval(timer)
}

type Collect = (how: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as Collect | undefined
  setFlagsFromString('--no-expose-gc')
  collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
