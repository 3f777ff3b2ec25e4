import { isUnanswered, type TrafficEntry, type TrafficLeg } from '#shared/contract/node/traffic.js'
import type { Clock, MonotonicClock } from '../base/clock.js'
import { Listeners } from '../base/listeners.js'
import type { Log } from '../logging/index.js'
import { FinishedRequests } from './finished-requests.js'
import { type Feed, newEntry, RunningRequest, type Slot } from './traffic-requests.js'

/** What is known of a request when it arrives. */
export type TrafficStart = Pick<TrafficEntry, 'id' | 'direction' | 'service' | 'method' | 'route'> &
  Partial<Pick<TrafficEntry, 'model' | 'peer' | 'path' | 'key'>>

/** What becomes known later. */
export type TrafficUpdate = Partial<
  Pick<
    TrafficEntry,
    | 'direction'
    | 'service'
    | 'model'
    | 'peer'
    | 'path'
    | 'tries'
    | 'candidates'
    | 'considered'
    | 'status'
    | 'error'
    | 'tokens'
    | 'tokensFrom'
    | 'tokensIn'
    | 'cancelledBy'
  >
>

/** The gateway's end of one request in the feed. None of it throws; after `finish` nothing changes any more. */
export interface TrafficHandle {
  update(fields: TrafficUpdate): void
  /** Marks the first byte of the answer; later calls do nothing. */
  firstByte(): void
  /** Adds to the sizes of the request's (`bytesIn`) and the answer's body (`bytesOut`). */
  addBytes(bytesIn: number, bytesOut: number): void
  /** An attempt ended; the first four are kept. */
  attempted(attempt: TrafficLeg): void
  finish(fields?: TrafficUpdate): void
}

/** Requests begun since local midnight; `local` has none that no provider was asked for. */
interface DayCounts {
  in: number
  out: number
  local: number
  unanswered: number
}

/** The last requests of this node, in memory only. No prompt, answer or header is ever in it. */
export interface TrafficFeed {
  begin(start: TrafficStart): TrafficHandle
  /** Oldest first. An entry that did not change since the last call is the same object. */
  entries(): readonly TrafficEntry[]
  today(): DayCounts
  /** Counts requests of today that went through before this start. */
  addToday(before: DayCounts): void
  /** Requests that are not finished. */
  readonly running: number
  /** Those of them that the feed remembers, oldest first. */
  runningEntries(): TrafficEntry[]
  /** Adds a request of before this start that the node's end has broken off. */
  addInterrupted(entry: TrafficEntry): void
  /** Calls `listener` when something changed since the last {@link TrafficFeed.entries} or {@link TrafficFeed.today}; returns the way to stop. */
  subscribe(listener: () => void): () => void
  /**
   * Calls `listener` with each request that ended, at once; it must be quick and keep no reference. Returns the way to
   * stop. A listener that throws is dropped.
   */
  onFinished(listener: (entry: Readonly<TrafficEntry>) => void): () => void
}

/** How many requests the feed remembers: enough to look back, some 5 MiB. */
const MAX_ENTRIES = 10_000

/** An empty {@link TrafficFeed}. A request costs a few assignments: reading, copying and sending happen elsewhere. */
export function createTrafficFeed(
  needs: { clock: Clock; monotonic: MonotonicClock; log?: Log },
  options: { maxEntries?: number } = {},
): TrafficFeed {
  return new RingFeed(needs, options.maxEntries ?? MAX_ENTRIES)
}

class RingFeed implements TrafficFeed, Feed {
  readonly #clock: Clock
  readonly #monotonic: MonotonicClock
  readonly #log: Log | undefined
  readonly #maxEntries: number
  readonly #ring: Slot[] = []
  readonly #finished: FinishedRequests
  #oldest = 0
  #running = 0
  /** Listeners have heard of a change since the last reading. */
  #isAnnounced = false
  readonly #listeners = new Listeners()
  readonly #finishListeners = new Set<(entry: Readonly<TrafficEntry>) => void>()
  readonly #counts: DayCounts = { in: 0, out: 0, local: 0, unanswered: 0 }
  #nextMidnightMs = 0

  constructor(needs: { clock: Clock; monotonic: MonotonicClock; log?: Log }, maxEntries: number) {
    this.#clock = needs.clock
    this.#monotonic = needs.monotonic
    this.#log = needs.log?.forComponent('traffic')
    this.#maxEntries = maxEntries
    this.#finished = new FinishedRequests(maxEntries)
  }

  begin(start: TrafficStart): TrafficHandle {
    const entry = newEntry(start, this.#clock.now())
    const slot = this.#slotFor(entry)
    this.#running += 1
    this.#countedUntilMidnight()[start.direction] += 1
    this.changed(slot)
    return new RunningRequest(entry, slot, this)
  }

  entries(): readonly TrafficEntry[] {
    this.#isAnnounced = false
    const inOrder = [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)]
    return inOrder.map((slot) => (slot.view ??= this.#viewOf(slot)))
  }

  today(): DayCounts {
    this.#isAnnounced = false
    return { ...this.#countedUntilMidnight() }
  }

  addToday(before: DayCounts): void {
    const counts = this.#countedUntilMidnight()
    for (const key of ['in', 'out', 'local', 'unanswered'] as const) counts[key] += before[key]
  }

  get running(): number {
    return this.#running
  }

  runningEntries(): TrafficEntry[] {
    return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)].flatMap(({ running }) =>
      running === undefined ? [] : [{ ...running }],
    )
  }

  addInterrupted(entry: TrafficEntry): void {
    const ended: TrafficEntry = { ...entry, durationMs: entry.durationMs ?? 0, error: 'internal', cancelledBy: 'node' }
    const slot = this.#slotFor(ended)
    this.#finished.put(slot.index, ended)
    slot.running = undefined
    this.changed(slot)
    this.#announceFinished(ended)
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  onFinished(listener: (entry: Readonly<TrafficEntry>) => void): () => void {
    this.#finishListeners.add(listener)
    return () => this.#finishListeners.delete(listener)
  }

  elapsedMs(): number {
    return this.#monotonic.elapsedMs()
  }

  changed(slot: Slot): void {
    slot.view = undefined
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#listeners.notify()
  }

  /** A request counts under the way it took in the end. */
  redirect(entry: TrafficEntry, direction: TrafficEntry['direction'] | undefined): void {
    if (direction === undefined || direction === entry.direction) return
    const today = this.#countedUntilMidnight()
    today[direction] += 1
    if (today[entry.direction] > 0) today[entry.direction] -= 1
  }

  ended(entry: TrafficEntry, slot: Slot): void {
    this.#running -= 1
    if (isUnanswered(entry)) {
      const today = this.#countedUntilMidnight()
      today.unanswered += 1
      if (today.local > 0) today.local -= 1
    }
    if (slot.running === entry) {
      this.#finished.put(slot.index, entry)
      slot.running = undefined
    }
    this.#announceFinished(entry)
  }

  #slotFor(entry: TrafficEntry): Slot {
    if (this.#ring.length < this.#maxEntries) {
      const slot: Slot = { index: this.#ring.length, running: entry, view: undefined }
      this.#ring.push(slot)
      return slot
    }
    const slot = this.#ring[this.#oldest] as Slot
    this.#oldest = (this.#oldest + 1) % this.#maxEntries
    slot.running = entry
    return slot
  }

  #viewOf({ running, index }: Slot): TrafficEntry {
    return running === undefined ? this.#finished.get(index) : { ...running }
  }

  #announceFinished(entry: TrafficEntry): void {
    for (const listener of this.#finishListeners) {
      try {
        listener(entry)
      } catch (error) {
        this.#finishListeners.delete(listener)
        this.#log?.error('a follower of finished requests failed and was dropped', { error })
      }
    }
  }

  #countedUntilMidnight(): DayCounts {
    const nowMs = this.#clock.now()
    const counts = this.#counts
    if (nowMs >= this.#nextMidnightMs) {
      counts.in = counts.out = counts.local = counts.unanswered = 0
      this.#nextMidnightMs = midnightAfter(nowMs)
    }
    return counts
  }
}

/** Unix milliseconds at which the local day began. */
export function midnightBefore(nowMs: number): number {
  return new Date(nowMs).setHours(0, 0, 0, 0)
}

/** Unix milliseconds at which the next local day begins. */
export function midnightAfter(nowMs: number): number {
  const day = new Date(nowMs)
  day.setHours(24, 0, 0, 0)
  return day.getTime()
}
