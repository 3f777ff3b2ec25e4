import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import type { VerifiedRow } from '../view/entry.js'

/** Verified rows that wait to be written together, at most one per owner: a transaction costs time in all rows there are. */
export interface MicroBatch {
  /** Keeps a copy of the row's bytes, in the place of an older one of its owner. `isNew`: its owner has no row yet. */
  add(row: VerifiedRow, isNew: boolean): void
  /** There is something else to write, with the next rows or in their place. */
  touch(): void
  /** The row of this owner that waits. */
  get(peerId: string): VerifiedRow | undefined
  /** Takes a row back. */
  drop(peerId: string): void
  /** Owners among them that have no row yet. */
  readonly newOwners: ReadonlySet<string>
  /** Writes them now. */
  flush(): void
  /** Resolves when all that waits now was written. */
  settled(): Promise<void>
  /** Writes what waits; what is added later is left out. */
  close(): void
}

/** Runs `work` after `delayMs`, or at the end of this turn for 0. Returns the way to cancel it. */
export type Defer = (work: () => void, delayMs: number) => () => void

/** Rows written together, at most. */
const MAX_ROWS_PER_BATCH = 1024
/** After a transaction, the next one waits so many times its fixed cost: these take a tenth of a core, at most. */
const PAUSE_FACTOR = 10
const MAX_PAUSE_MS = 150
/** Below that, a pause is not worth a timer. */
const MIN_PAUSE_MS = 2
/** What each row of a document costs every transaction: 0.3 µs, measured; other machines are slower, or quicker. */
const USUAL_COST_MS = 0.0003
const MAX_COST_MS = 10 * USUAL_COST_MS
/** Rows whose being there costs a transaction as much as writing one. */
const ROWS_PER_WRITE = 80
/** How much of the latest measurement goes into what is taken for the cost: this thread is interrupted now and then. */
const SMOOTHING = 0.1

/** What {@link createMicroBatch} works with. */
export interface MicroBatchNeeds {
  /** Puts rows into the documents; returns how many these hold. */
  write: (rows: readonly VerifiedRow[]) => number
  defer?: Defer | undefined
  monotonic?: MonotonicClock
}

/** An empty batch. Where no pause is due it is written at the end of the turn: a small table, or a quiet one, never waits. */
export function createMicroBatch(needs: MicroBatchNeeds): MicroBatch {
  return new RowBatch(needs)
}

class RowBatch implements MicroBatch {
  readonly #write: (rows: readonly VerifiedRow[]) => number
  readonly #defer: Defer
  readonly #monotonic: MonotonicClock
  readonly #rows = new Map<string, VerifiedRow>()
  readonly #newOwners = new Set<string>()
  #waiters: (() => void)[] = []
  #isTouched = false
  #isScheduled = false
  #cancel: () => void = () => undefined
  #isClosed = false
  /** Fixed cost of a transaction for each row that is there. */
  #costMs = USUAL_COST_MS
  /** When the next transaction may begin. */
  #resumeAtMs = 0

  constructor({ write, defer = deferByTimers, monotonic = monotonicClock }: MicroBatchNeeds) {
    this.#write = write
    this.#defer = defer
    this.#monotonic = monotonic
  }

  add(row: VerifiedRow, isNew: boolean): void {
    if (this.#isClosed) return
    this.#rows.set(row.peerId, { ...row, bytes: Uint8Array.from(row.bytes) })
    if (isNew) this.#newOwners.add(row.peerId)
    if (this.#rows.size >= MAX_ROWS_PER_BATCH) this.flush()
    else this.#schedule()
  }

  touch(): void {
    if (this.#isClosed) return
    this.#isTouched = true
    this.#schedule()
  }

  get(peerId: string): VerifiedRow | undefined {
    return this.#rows.get(peerId)
  }

  drop(peerId: string): void {
    this.#rows.delete(peerId)
    this.#newOwners.delete(peerId)
  }

  get newOwners(): ReadonlySet<string> {
    return this.#newOwners
  }

  flush(): void {
    this.#cancel()
    this.#isScheduled = false
    const rows = [...this.#rows.values()]
    this.#rows.clear()
    this.#newOwners.clear()
    const isTouched = this.#isTouched
    this.#isTouched = false
    const waiters = this.#waiters
    this.#waiters = []
    try {
      if (rows.length > 0 || isTouched) this.#writeTimed(rows)
    } finally {
      for (const resolve of waiters) resolve()
    }
  }

  settled(): Promise<void> {
    if (this.#rows.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  close(): void {
    this.flush()
    this.#isClosed = true
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    const pauseMs = this.#resumeAtMs - this.#monotonic.elapsedMs()
    this.#cancel = this.#defer(() => this.flush(), pauseMs < MIN_PAUSE_MS ? 0 : pauseMs)
  }

  #writeTimed(rows: readonly VerifiedRow[]): void {
    const startedAtMs = this.#monotonic.elapsedMs()
    const held = this.#write(rows)
    const endedAtMs = this.#monotonic.elapsedMs()
    const costMs = Math.min(MAX_COST_MS, (endedAtMs - startedAtMs) / Math.max(1, held + rows.length * ROWS_PER_WRITE))
    this.#costMs += (costMs - this.#costMs) * SMOOTHING
    this.#resumeAtMs = endedAtMs + Math.min(MAX_PAUSE_MS, this.#costMs * held * PAUSE_FACTOR)
  }
}

function deferByTimers(work: () => void, delayMs: number): () => void {
  if (delayMs === 0) {
    const immediate = setImmediate(work)
    return () => clearImmediate(immediate)
  }
  const timer = setTimeout(work, delayMs)
  return () => clearTimeout(timer)
}
