import type { Clock } from '../../../src-main/base/clock.js'

/** Discrete events on a clock of their own: nothing waits, and the same seed gives the same run. */
export interface Simulation extends Clock {
  after(delayMs: number, run: () => void): void
  /** Runs all events up to `untilMs`, in order; between two of them promises that are due settle. */
  run(untilMs: number): Promise<void>
}

interface Event {
  atMs: number
  order: number
  run: () => void
}

/** Turns of the microtask queue an event may need: no chain of promises in the code under test is longer. */
const SETTLING_TURNS = 16

export function createSimulation(): Simulation {
  const heap: Event[] = []
  let nowMs = 0
  let events = 0

  const isSooner = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
  const at = (index: number): Event => heap[index] as Event

  function push(event: Event): void {
    let index = heap.length
    heap.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isSooner(event, at(parent))) break
      heap[index] = at(parent)
      index = parent
    }
    heap[index] = event
  }

  function pop(): Event {
    const first = at(0)
    const last = heap.pop() as Event
    if (heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isSooner(at(child + 1), at(child))) child += 1
      if (!isSooner(at(child), last)) break
      heap[index] = at(child)
      index = child
    }
    heap[index] = last
    return first
  }

  return {
    now: () => nowMs,
    after(delayMs, run) {
      push({ atMs: nowMs + Math.max(0, delayMs), order: (events += 1), run })
    },
    async run(untilMs) {
      while (heap.length > 0 && at(0).atMs <= untilMs) {
        const event = pop()
        nowMs = event.atMs
        event.run()
        for (let turn = 0; turn < SETTLING_TURNS; turn += 1) await Promise.resolve()
      }
      nowMs = untilMs
    },
  }
}
