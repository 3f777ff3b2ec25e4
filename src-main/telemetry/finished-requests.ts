import { MAX_LEGS, type TrafficEntry, type TrafficLeg } from '#shared/contract/traffic.js'

/**
 * Requests that are over, by place. An entry that is put here is not kept: what it says is, in arrays that live as long
 * as this does. Kept as objects, the last ten thousand requests passed through every collection of young objects, which
 * took about a tenth of a node's processor time for each request under load (docs/performance.md).
 */
export interface FinishedRequests {
  put(place: number, entry: Readonly<TrafficEntry>): void
  /** A new object. Only for places where something was put. */
  get(place: number): TrafficEntry
}

/** Of an entry: how many legs it has, its own numbers, those of its legs. And the same with its texts, behind its id. */
const LEG_NUMBERS = 4
const LEG_TEXTS = 3
const ROW_NUMBERS = 11 + MAX_LEGS * LEG_NUMBERS
const ROW_TEXTS = 11 + MAX_LEGS * LEG_TEXTS

/** Different texts that are kept once; names of models, routes, peers and reasons are far fewer. */
const MAX_TEXTS = 4_096

/** Room for `places` requests; memory is used as they come. */
export function createFinishedRequests(places: number): FinishedRequests {
  const numbers = new Float64Array(places * ROW_NUMBERS)
  const texts: (string | null)[] = []
  const known = new Map<string, string>()

  /** The same text once: most come fresh out of a request each time. */
  function once(text: string | null): string | null {
    if (text === null) return null
    const same = known.get(text)
    if (same !== undefined) return same
    if (known.size >= MAX_TEXTS) known.clear()
    known.set(text, text)
    return text
  }

  // Written out: by name in a loop it would take several times as long.
  function putLeg(leg: TrafficLeg, number: number, text: number): void {
    numbers[number] = leg.startMs
    numbers[number + 1] = leg.durationMs
    numbers[number + 2] = leg.connectMs ?? NOTHING
    numbers[number + 3] = leg.ttfbMs ?? NOTHING
    texts[text] = once(leg.peer)
    texts[text + 1] = leg.outcome
    texts[text + 2] = once(leg.reason)
  }

  function getLeg(number: number, text: number): TrafficLeg {
    return {
      peer: texts[text] ?? null,
      outcome: texts[text + 1] as TrafficLeg['outcome'],
      reason: texts[text + 2] ?? null,
      startMs: amount(number),
      durationMs: amount(number + 1),
      connectMs: orNull(number + 2),
      ttfbMs: orNull(number + 3),
    }
  }

  const amount = (at: number): number => numbers[at] ?? 0
  function orNull(at: number): number | null {
    const value = numbers[at] ?? NOTHING
    return Number.isNaN(value) ? null : value
  }

  return {
    put(place, entry) {
      const number = place * ROW_NUMBERS
      numbers[number] = entry.legs.length
      numbers[number + 1] = entry.atMs
      numbers[number + 2] = entry.tries
      numbers[number + 3] = entry.candidates ?? NOTHING
      numbers[number + 4] = entry.status ?? NOTHING
      numbers[number + 5] = entry.ttfbMs ?? NOTHING
      numbers[number + 6] = entry.durationMs ?? NOTHING
      numbers[number + 7] = entry.bytesIn
      numbers[number + 8] = entry.bytesOut
      numbers[number + 9] = entry.tokens ?? NOTHING
      numbers[number + 10] = entry.tokensIn ?? NOTHING
      const text = place * ROW_TEXTS
      texts[text] = entry.id
      texts[text + 1] = entry.direction
      texts[text + 2] = once(entry.service)
      texts[text + 3] = once(entry.method)
      texts[text + 4] = once(entry.route)
      texts[text + 5] = once(entry.model)
      texts[text + 6] = once(entry.peer)
      texts[text + 7] = entry.path
      texts[text + 8] = once(entry.error)
      texts[text + 9] = entry.tokensFrom
      texts[text + 10] = entry.cancelledBy
      for (const [index, leg] of entry.legs.entries()) {
        putLeg(leg, number + 11 + index * LEG_NUMBERS, text + 11 + index * LEG_TEXTS)
      }
    },
    get(place) {
      const number = place * ROW_NUMBERS
      const text = place * ROW_TEXTS
      return {
        id: texts[text] ?? '',
        direction: texts[text + 1] as TrafficEntry['direction'],
        service: texts[text + 2] ?? '',
        method: texts[text + 3] ?? '',
        route: texts[text + 4] ?? '',
        model: texts[text + 5] ?? null,
        peer: texts[text + 6] ?? null,
        path: (texts[text + 7] ?? null) as TrafficEntry['path'],
        atMs: amount(number + 1),
        tries: amount(number + 2),
        legs: Array.from({ length: amount(number) }, (_, index) =>
          getLeg(number + 11 + index * LEG_NUMBERS, text + 11 + index * LEG_TEXTS),
        ),
        candidates: orNull(number + 3),
        status: orNull(number + 4),
        error: texts[text + 8] ?? null,
        ttfbMs: orNull(number + 5),
        durationMs: orNull(number + 6),
        bytesIn: amount(number + 7),
        bytesOut: amount(number + 8),
        tokens: orNull(number + 9),
        tokensFrom: (texts[text + 9] ?? null) as TrafficEntry['tokensFrom'],
        tokensIn: orNull(number + 10),
        cancelledBy: (texts[text + 10] ?? null) as TrafficEntry['cancelledBy'],
      }
    },
  }
}

/** Where a number is null. */
const NOTHING = Number.NaN
