import { MAX_LEGS, type TrafficEntry, type TrafficLeg } from '#shared/contract/traffic.js'
import type { Clock } from '../clock.js'
import type { Log } from '../logging/index.js'

/** What is known of a request when it arrives. */
export type TrafficStart = Pick<TrafficEntry, 'id' | 'direction' | 'service' | 'method' | 'route'> &
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
export interface DayCounts {
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

interface Slot {
  entry: TrafficEntry
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

  function keep(slot: Slot): void {
    if (ring.length < maxEntries) {
      ring.push(slot)
    } else {
      ring[oldest] = slot
      oldest = (oldest + 1) % maxEntries
    }
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

  function handleOf(slot: Slot): TrafficHandle {
    const { entry } = slot
    let ended = false
    return {
      update(fields) {
        if (ended) return
        turn(entry, fields.direction)
        Object.assign(entry, fields)
        changed(slot)
      },
      firstByte() {
        if (ended || entry.ttfbMs !== null) return
        entry.ttfbMs = clock.now() - entry.atMs
        changed(slot)
      },
      addBytes(bytesIn, bytesOut) {
        if (ended) return
        entry.bytesIn += bytesIn
        entry.bytesOut += bytesOut
        changed(slot)
      },
      tried(leg) {
        if (ended || entry.legs.length >= MAX_LEGS) return
        // A new list: readers hold the old one.
        entry.legs = [...entry.legs, leg]
        changed(slot)
      },
      finish(fields) {
        if (ended) return
        ended = true
        running -= 1
        turn(entry, fields?.direction)
        Object.assign(entry, fields)
        entry.durationMs = clock.now() - entry.atMs
        changed(slot)
        announceFinished(entry)
      },
    }
  }

  return {
    begin(start) {
      const slot: Slot = { entry: newEntry(start, clock.now()), view: undefined }
      keep(slot)
      running += 1
      countedUntilMidnight()[start.direction] += 1
      changed(slot)
      return handleOf(slot)
    },
    entries() {
      told = false
      return [...ring.slice(oldest), ...ring.slice(0, oldest)].map((slot) => (slot.view ??= { ...slot.entry }))
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

function newEntry(start: TrafficStart, atMs: number): TrafficEntry {
  return {
    model: null,
    peer: null,
    path: null,
    ...start,
    atMs,
    tries: 0,
    legs: [],
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
