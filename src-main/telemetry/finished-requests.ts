import { MAX_LEGS, type TrafficCandidate, type TrafficEntry, type TrafficLeg } from '#shared/contract/node/traffic.js'

/** Of an entry: how many attempts it has, its own numbers, those of its attempts. And the same with its texts, behind its id. */
const ATTEMPT_NUMBERS = 4
const ATTEMPT_TEXTS = 3
const ENTRY_NUMBERS = 12
/** What was expected of a candidate. */
const CANDIDATE_NUMBERS = 6
const CANDIDATES_AT = ENTRY_NUMBERS + MAX_LEGS * ATTEMPT_NUMBERS
const ROW_NUMBERS = CANDIDATES_AT + MAX_LEGS * CANDIDATE_NUMBERS
const ENTRY_TEXTS = 12
const PEERS_AT = ENTRY_TEXTS + MAX_LEGS * ATTEMPT_TEXTS
const ROW_TEXTS = PEERS_AT + MAX_LEGS

/** Different texts that are kept once; names of models, routes, peers and reasons are far fewer. */
const MAX_TEXTS = 4_096

/**
 * Requests that are over, by slot. An entry that is put here is not kept: what it says is, in arrays that live as long
 * as this does. Kept as objects, the last ten thousand requests passed through every collection of young objects, which
 * took about a tenth of a node's processor time for each request under load (docs/performance.md).
 */
export class FinishedRequests {
  readonly #numbers: Float64Array
  readonly #texts: (string | null)[] = []
  readonly #known = new Map<string, string>()

  /** Room for `slots` requests; memory is used as they come. */
  constructor(slots: number) {
    this.#numbers = new Float64Array(slots * ROW_NUMBERS)
  }

  put(slot: number, entry: Readonly<TrafficEntry>): void {
    const numbers = this.#numbers
    const number = slot * ROW_NUMBERS
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
    numbers[number + 11] = entry.considered.length
    const texts = this.#texts
    const text = slot * ROW_TEXTS
    texts[text] = entry.id
    texts[text + 1] = entry.direction
    texts[text + 2] = this.#once(entry.service)
    texts[text + 3] = this.#once(entry.method)
    texts[text + 4] = this.#once(entry.route)
    texts[text + 5] = this.#once(entry.model)
    texts[text + 6] = this.#once(entry.peer)
    texts[text + 7] = entry.path
    texts[text + 8] = this.#once(entry.error)
    texts[text + 9] = entry.tokensFrom
    texts[text + 10] = entry.cancelledBy
    texts[text + 11] = this.#once(entry.key)
    for (const [index, candidate] of entry.considered.entries()) {
      this.#putCandidate(candidate, number + CANDIDATES_AT + index * CANDIDATE_NUMBERS, text + PEERS_AT + index)
    }
    for (const [index, attempt] of entry.legs.entries()) {
      this.#putAttempt(
        attempt,
        number + ENTRY_NUMBERS + index * ATTEMPT_NUMBERS,
        text + ENTRY_TEXTS + index * ATTEMPT_TEXTS,
      )
    }
  }

  /** A new object. Only for slots where something was put. */
  get(slot: number): TrafficEntry {
    const number = slot * ROW_NUMBERS
    const texts = this.#texts
    const text = slot * ROW_TEXTS
    return {
      id: texts[text] ?? '',
      direction: texts[text + 1] as TrafficEntry['direction'],
      service: texts[text + 2] ?? '',
      method: texts[text + 3] ?? '',
      route: texts[text + 4] ?? '',
      model: texts[text + 5] ?? null,
      peer: texts[text + 6] ?? null,
      key: texts[text + 11] ?? null,
      path: (texts[text + 7] ?? null) as TrafficEntry['path'],
      atMs: this.#amount(number + 1),
      tries: this.#amount(number + 2),
      legs: Array.from({ length: this.#amount(number) }, (_, index) =>
        this.#getAttempt(number + ENTRY_NUMBERS + index * ATTEMPT_NUMBERS, text + ENTRY_TEXTS + index * ATTEMPT_TEXTS),
      ),
      candidates: this.#orNull(number + 3),
      considered: Array.from({ length: this.#amount(number + 11) }, (_, index) =>
        this.#getCandidate(number + CANDIDATES_AT + index * CANDIDATE_NUMBERS, text + PEERS_AT + index),
      ),
      status: this.#orNull(number + 4),
      error: texts[text + 8] ?? null,
      ttfbMs: this.#orNull(number + 5),
      durationMs: this.#orNull(number + 6),
      bytesIn: this.#amount(number + 7),
      bytesOut: this.#amount(number + 8),
      tokens: this.#orNull(number + 9),
      tokensFrom: (texts[text + 9] ?? null) as TrafficEntry['tokensFrom'],
      tokensIn: this.#orNull(number + 10),
      cancelledBy: (texts[text + 10] ?? null) as TrafficEntry['cancelledBy'],
    }
  }

  /** The same text once: most come fresh out of a request each time. */
  #once(text: string | null): string | null {
    if (text === null) return null
    const same = this.#known.get(text)
    if (same !== undefined) return same
    if (this.#known.size >= MAX_TEXTS) this.#known.clear()
    this.#known.set(text, text)
    return text
  }

  // Written out: by name in a loop it would take several times as long.
  #putAttempt(attempt: TrafficLeg, number: number, text: number): void {
    const numbers = this.#numbers
    const texts = this.#texts
    numbers[number] = attempt.startMs
    numbers[number + 1] = attempt.durationMs
    numbers[number + 2] = attempt.connectMs ?? NOTHING
    numbers[number + 3] = attempt.ttfbMs ?? NOTHING
    texts[text] = this.#once(attempt.peer)
    texts[text + 1] = attempt.outcome
    texts[text + 2] = this.#once(attempt.reason)
  }

  #getAttempt(number: number, text: number): TrafficLeg {
    const texts = this.#texts
    return {
      peer: texts[text] ?? null,
      outcome: texts[text + 1] as TrafficLeg['outcome'],
      reason: texts[text + 2] ?? null,
      startMs: this.#amount(number),
      durationMs: this.#amount(number + 1),
      connectMs: this.#orNull(number + 2),
      ttfbMs: this.#orNull(number + 3),
    }
  }

  #putCandidate(candidate: TrafficCandidate, number: number, text: number): void {
    const numbers = this.#numbers
    numbers[number] = candidate.rttMs
    numbers[number + 1] = candidate.fixedMs
    numbers[number + 2] = candidate.readMs
    numbers[number + 3] = candidate.queueMs
    numbers[number + 4] = candidate.hangMs
    numbers[number + 5] = candidate.unreadTokens
    this.#texts[text] = this.#once(candidate.peer)
  }

  #getCandidate(number: number, text: number): TrafficCandidate {
    return {
      peer: this.#texts[text] ?? '',
      rttMs: this.#amount(number),
      fixedMs: this.#amount(number + 1),
      readMs: this.#amount(number + 2),
      queueMs: this.#amount(number + 3),
      hangMs: this.#amount(number + 4),
      unreadTokens: this.#amount(number + 5),
    }
  }

  #amount(at: number): number {
    return this.#numbers[at] ?? 0
  }

  #orNull(at: number): number | null {
    const value = this.#numbers[at] ?? NOTHING
    return Number.isNaN(value) ? null : value
  }
}

/** Where a number is null. */
const NOTHING = Number.NaN
