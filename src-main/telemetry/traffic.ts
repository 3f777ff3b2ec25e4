import { MAX_LEGS, type TrafficEntry, type TrafficLeg } from '#shared/contract/traffic.js'
import type { Clock } from '../base/clock.js'
import type { Log } from '../logging/index.js'
import { createFinishedRequests } from './finished-requests.js'

/** What is known of a request when it arrives. */
type TrafficStart = Pick<TrafficEntry, 'id' | 'direction' | 'service' | 'method' | 'route'> &
  Partial<Pick<TrafficEntry, 'model' | 'peer' | 'path'>>

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
  /** A try ended; the first {@link MAX_LEGS} are kept. */
  tried(leg: TrafficLeg): void
  finish(fields?: TrafficUpdate): void
}

/** Requests begun since local midnight. */
interface DayCounts {
  in: number
  out: number
  local: number
}

/** The last requests of this node, in memory only. No prompt, answer or header is ever in it. */
export interface TrafficFeed {
  begin(start: TrafficStart): TrafficHandle
  /** Oldest first. An entry that did not change since the last call is the same object. */
  entries(): readonly TrafficEntry[]
  today(): DayCounts
  /** Requests that are not finished. */
  readonly running: number
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

/** A place in the feed, used again for another request when it was the oldest one. */
interface Slot {
  readonly place: number
  /** The request, while it is not finished. */
  running: TrafficEntry | undefined
  /** A copy for readers, made anew after each change. */
  view: TrafficEntry | undefined
}

/** An empty {@link TrafficFeed}. A request costs a few assignments: reading, copying and sending happen elsewhere. */
export function createTrafficFeed(
  needs: { clock: Clock; log?: Log },
  options: { maxEntries?: number } = {},
): TrafficFeed {
  const { clock } = needs
  const log = needs.log?.forComponent('traffic')
  const maxEntries = options.maxEntries ?? MAX_ENTRIES
  const ring: Slot[] = []
  const finished = createFinishedRequests(maxEntries)
  let oldest = 0
  let running = 0
  let told = false
  const listeners = new Set<() => void>()
  const finishListeners = new Set<(entry: Readonly<TrafficEntry>) => void>()
  const counts: DayCounts = { in: 0, out: 0, local: 0 }
  let nextMidnightMs = 0

  function changed(slot: Slot): void {
    slot.view = undefined
    if (told) return
    told = true
    for (const listener of listeners) listener()
  }

  function placeFor(entry: TrafficEntry): Slot {
    if (ring.length < maxEntries) {
      const slot: Slot = { place: ring.length, running: entry, view: undefined }
      ring.push(slot)
      return slot
    }
    const slot = ring[oldest] as Slot
    oldest = (oldest + 1) % maxEntries
    slot.running = entry
    return slot
  }

  function announceFinished(entry: TrafficEntry): void {
    for (const listener of finishListeners) {
      try {
        listener(entry)
      } catch (error) {
        finishListeners.delete(listener)
        log?.error('a follower of finished requests failed and was dropped', { error })
      }
    }
  }

  /** A request counts under the way it took in the end. */
  function turn(entry: TrafficEntry, direction: TrafficEntry['direction'] | undefined): void {
    if (direction === undefined || direction === entry.direction) return
    const today = countedUntilMidnight()
    today[direction] += 1
    if (today[entry.direction] > 0) today[entry.direction] -= 1
  }

  function countedUntilMidnight(): DayCounts {
    const nowMs = clock.now()
    if (nowMs >= nextMidnightMs) {
      counts.in = counts.out = counts.local = 0
      nextMidnightMs = midnightAfter(nowMs)
    }
    return counts
  }

  const viewOf = ({ running: entry, place }: Slot): TrafficEntry =>
    entry === undefined ? finished.get(place) : { ...entry }

  const book: Book = {
    now: () => clock.now(),
    changed,
    turn,
    ended(entry, slot) {
      running -= 1
      if (slot.running === entry) {
        finished.put(slot.place, entry)
        slot.running = undefined
      }
      announceFinished(entry)
    },
  }

  return {
    begin(start) {
      const entry = newEntry(start, clock.now())
      const slot = placeFor(entry)
      running += 1
      countedUntilMidnight()[start.direction] += 1
      changed(slot)
      return new RunningRequest(entry, slot, book)
    },
    entries() {
      told = false
      return [...ring.slice(oldest), ...ring.slice(0, oldest)].map((slot) => (slot.view ??= viewOf(slot)))
    },
    today() {
      told = false
      return { ...countedUntilMidnight() }
    },
    get running() {
      return running
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onFinished(listener) {
      finishListeners.add(listener)
      return () => finishListeners.delete(listener)
    },
  }
}

/** What a request does to the feed. */
interface Book {
  now(): number
  changed(slot: Slot): void
  turn(entry: TrafficEntry, direction: TrafficEntry['direction'] | undefined): void
  ended(entry: TrafficEntry, slot: Slot): void
}

/** One of them is made for each request: a class, because its methods then cost nothing to make. */
class RunningRequest implements TrafficHandle {
  readonly #entry: TrafficEntry
  readonly #slot: Slot
  readonly #book: Book
  #ended = false

  constructor(entry: TrafficEntry, slot: Slot, book: Book) {
    this.#entry = entry
    this.#slot = slot
    this.#book = book
  }

  update(fields: TrafficUpdate): void {
    if (this.#ended) return
    this.#book.turn(this.#entry, fields.direction)
    assign(this.#entry, fields)
    this.#changed()
  }

  /** Where others have taken its place, nobody sees it any more. */
  #changed(): void {
    if (this.#slot.running === this.#entry) this.#book.changed(this.#slot)
  }

  firstByte(): void {
    const entry = this.#entry
    if (this.#ended || entry.ttfbMs !== null) return
    entry.ttfbMs = this.#book.now() - entry.atMs
    this.#changed()
  }

  addBytes(bytesIn: number, bytesOut: number): void {
    if (this.#ended) return
    this.#entry.bytesIn += bytesIn
    this.#entry.bytesOut += bytesOut
    this.#changed()
  }

  tried(leg: TrafficLeg): void {
    const entry = this.#entry
    if (this.#ended || entry.legs.length >= MAX_LEGS) return
    // A new list: readers hold the old one.
    entry.legs = entry.legs.length === 0 ? [leg] : [...entry.legs, leg]
    this.#changed()
  }

  finish(fields?: TrafficUpdate): void {
    if (this.#ended) return
    this.#ended = true
    const entry = this.#entry
    this.#book.turn(entry, fields?.direction)
    if (fields !== undefined) assign(entry, fields)
    entry.durationMs = this.#book.now() - entry.atMs
    this.#changed()
    this.#book.ended(entry, this.#slot)
  }
}

/** `Object.assign`, at a third of its price for so few fields. */
function assign(entry: TrafficEntry, fields: TrafficUpdate): void {
  for (const key in fields) (entry as Record<string, unknown>)[key] = fields[key as keyof TrafficUpdate]
}

const NO_LEGS: TrafficLeg[] = []

/** Every entry has its fields in the same order, so that the engine sees one kind of object. */
function newEntry(start: TrafficStart, atMs: number): TrafficEntry {
  return {
    id: start.id,
    direction: start.direction,
    service: start.service,
    method: start.method,
    route: start.route,
    model: start.model ?? null,
    peer: start.peer ?? null,
    path: start.path ?? null,
    atMs,
    tries: 0,
    legs: NO_LEGS,
    candidates: null,
    status: null,
    error: null,
    ttfbMs: null,
    durationMs: null,
    bytesIn: 0,
    bytesOut: 0,
    tokens: null,
    tokensFrom: null,
    tokensIn: null,
    cancelledBy: null,
  }
}

function midnightAfter(nowMs: number): number {
  const day = new Date(nowMs)
  day.setHours(24, 0, 0, 0)
  return day.getTime()
}
