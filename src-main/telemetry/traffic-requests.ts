import { MAX_LEGS, type TrafficCandidate, type TrafficEntry, type TrafficLeg } from '#shared/contract/node/traffic.js'
import type { MonotonicClock } from '../base/clock.js'
import type { TrafficHandle, TrafficStart, TrafficUpdate } from './traffic.js'

/** A slot of the feed, used again for another request when its own was the oldest one. */
export interface Slot {
  readonly index: number
  /** The request, while it is not finished. */
  running: TrafficEntry | undefined
  /** A copy for readers, made anew after each change. */
  view: TrafficEntry | undefined
}

/** What a request does to the feed. */
export interface Feed extends MonotonicClock {
  changed(slot: Slot): void
  /** The request goes another way than it was counted under. */
  redirect(entry: TrafficEntry, direction: TrafficEntry['direction'] | undefined): void
  ended(entry: TrafficEntry, slot: Slot): void
}

/** A request that is under way. A class: one is made for each request, and its methods then cost nothing. */
export class RunningRequest implements TrafficHandle {
  readonly #entry: TrafficEntry
  readonly #slot: Slot
  readonly #feed: Feed
  readonly #startedMs: number
  #ended = false

  constructor(entry: TrafficEntry, slot: Slot, feed: Feed) {
    this.#entry = entry
    this.#slot = slot
    this.#feed = feed
    this.#startedMs = feed.elapsedMs()
  }

  update(fields: TrafficUpdate): void {
    if (this.#ended) return
    this.#feed.redirect(this.#entry, fields.direction)
    assign(this.#entry, fields)
    this.#changed()
  }

  /** Once another request has its slot, this one is no longer shown. */
  #changed(): void {
    if (this.#slot.running === this.#entry) this.#feed.changed(this.#slot)
  }

  firstByte(): void {
    const entry = this.#entry
    if (this.#ended || entry.ttfbMs !== null) return
    entry.ttfbMs = this.#sinceBegin()
    this.#changed()
  }

  /** Whole milliseconds. */
  #sinceBegin(): number {
    return Math.round(this.#feed.elapsedMs() - this.#startedMs)
  }

  addBytes(bytesIn: number, bytesOut: number): void {
    if (this.#ended) return
    this.#entry.bytesIn += bytesIn
    this.#entry.bytesOut += bytesOut
    this.#changed()
  }

  attempted(attempt: TrafficLeg): void {
    const entry = this.#entry
    if (this.#ended || entry.legs.length >= MAX_LEGS) return
    // A new list: readers hold the old one.
    entry.legs = entry.legs.length === 0 ? [attempt] : [...entry.legs, attempt]
    this.#changed()
  }

  finish(fields?: TrafficUpdate): void {
    if (this.#ended) return
    this.#ended = true
    const entry = this.#entry
    this.#feed.redirect(entry, fields?.direction)
    if (fields !== undefined) assign(entry, fields)
    entry.durationMs = this.#sinceBegin()
    this.#changed()
    this.#feed.ended(entry, this.#slot)
  }
}

/** `Object.assign`, at a third of its price for so few fields. */
function assign(entry: TrafficEntry, fields: TrafficUpdate): void {
  for (const key in fields) (entry as Record<string, unknown>)[key] = fields[key as keyof TrafficUpdate]
}

const NO_LEGS: TrafficLeg[] = []
const NONE_CONSIDERED: TrafficCandidate[] = []

/** An entry as a request begins. All have their fields in the same order, so that the engine sees one kind of object. */
export function newEntry(start: TrafficStart, atMs: number): TrafficEntry {
  return {
    id: start.id,
    direction: start.direction,
    service: start.service,
    method: start.method,
    route: start.route,
    model: start.model ?? null,
    peer: start.peer ?? null,
    key: start.key ?? null,
    path: start.path ?? null,
    atMs,
    tries: 0,
    legs: NO_LEGS,
    candidates: null,
    considered: NONE_CONSIDERED,
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
