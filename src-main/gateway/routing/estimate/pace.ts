/** What one provider takes for requests to one model, as measured; all in milliseconds. */
export interface PaceFigures {
  /** Before it reads: the way to it and back, and what a request takes beside its tokens. */
  fixedMs: number
  /** For 1,000 tokens of a prompt that it has not read before. */
  perThousandMs: number
  /** How far measurements lie from what was expected, as a share of it. */
  spread: number
}

/** What is thought of a provider that was never measured: not too much, so that it gets a chance to show. */
const UNKNOWN_PACE: Readonly<PaceFigures> = { fixedMs: 60, perThousandMs: 300, spread: 1 }

/**
 * The same of one that is so far away (ms, to it and back), and whose owner measured so many ms for 1,000 tokens. That is
 * its word: it makes it slower than one that says nothing, and never faster.
 */
export const unknownPace = (rttMs: number, saidPerThousandMs = 0): Readonly<PaceFigures> => ({
  ...UNKNOWN_PACE,
  fixedMs: UNKNOWN_PACE.fixedMs + rttMs,
  perThousandMs: Math.max(UNKNOWN_PACE.perThousandMs, saidPerThousandMs),
})

/** How much of the past each measurement leaves, and how many ms leave half of it. */
const KEPT = 0.93
const HALF_LIFE_MS = 10 * 60_000
/** What was thought before anything was measured weighs as much as so many measurements, less after each. */
const FIRST_PRIOR = 0.05
const LEAST_PRIOR = 0.002
/** What an earlier run of the program had measured weighs at most as much as so many measurements, and half as much after. */
const REMEMBERED_PRIOR = 1
const REMEMBERED_HALF_LIFE_MS = 3_600_000
/** Two measurements in a row that are so many times what was expected, or as small a part of it: it has changed. */
const CHANGED = 2.5
/** How much of the past is left then. */
const KEPT_OF_CHANGED = 0.05
/** One measurement says at most that a provider takes so many times what was expected. */
const MOST_SURPRISE = 6
/** Nothing is expected sooner, ms: shorter times are told by the machine's mood. */
const LEAST_MS = 10
/** Share of a fresh measurement in the spread. */
const ALPHA = 0.3

/**
 * A line through what was measured: time to first byte over the tokens that had to be read. Least squares of relative
 * errors, so that a short prompt says as much as a long one; older measurements fade.
 */
export class Pace implements PaceFigures {
  #prior: Readonly<PaceFigures>
  fixedMs: number
  perThousandMs: number
  spread: number
  /** Sums over the measurements, of weights, tokens and times: what a least-squares line is drawn from. */
  #weight = 0
  #x = 0
  #xx = 0
  #y = 0
  #xy = 0
  #atMs = 0
  #priorWeight = FIRST_PRIOR
  /** The last one was far above what was expected (1), far below (-1), or neither. */
  #surprise = 0
  #measurements = 0

  constructor(rttMs: number, saidPerThousandMs = 0) {
    this.#prior = unknownPace(rttMs, saidPerThousandMs)
    this.fixedMs = this.#prior.fixedMs
    this.perThousandMs = this.#prior.perThousandMs
    this.spread = this.#prior.spread
  }

  /** How often it was measured. */
  get measurements(): number {
    return this.#measurements
  }

  /** When it was measured last, by the clock its measurements came with, ms. */
  get measuredAtMs(): number {
    return this.#atMs
  }

  /** The last measurement was far below what was expected, and no second one has shown yet that this was no chance. */
  get mayBeFaster(): boolean {
    return this.#surprise === -1
  }

  /**
   * Takes up what an earlier run had measured, so long ago: it is what is expected at first, the less certain the older it
   * is, and what is measured now corrects it.
   */
  remember(
    { fixedMs, perThousandMs, spread, measurements }: PaceFigures & { measurements: number },
    { ageMs, nowMs }: { ageMs: number; nowMs: number },
  ): void {
    const kept = 0.5 ** (ageMs / REMEMBERED_HALF_LIFE_MS)
    this.#prior = { fixedMs: Math.max(1, fixedMs), perThousandMs: Math.max(1, perThousandMs), spread }
    this.fixedMs = this.#prior.fixedMs
    this.perThousandMs = this.#prior.perThousandMs
    this.spread = spread * kept + UNKNOWN_PACE.spread * (1 - kept)
    this.#priorWeight = FIRST_PRIOR + (REMEMBERED_PRIOR - FIRST_PRIOR) * kept
    this.#measurements = measurements
    this.#atMs = nowMs - ageMs
  }

  /** To the first byte of an answer, of a request that waits for nothing. */
  readMs(unreadTokens: number): number {
    return this.fixedMs + (unreadTokens / 1000) * this.perThousandMs
  }

  /**
   * A request with so many unread tokens took so long, its wait for a slot taken out. `trust` from 0 to 1: how much of a
   * measurement that is.
   */
  measured(unreadTokens: number, tookMs: number, { nowMs, trust }: { nowMs: number; trust: number }): void {
    const x = unreadTokens / 1000
    // What was expected of one that was never measured is no evidence: as much slower or faster as it is at once.
    if (this.#measurements === 0) this.#scale(Math.max(LEAST_MS, tookMs) / this.readMs(unreadTokens))
    const expectedMs = Math.max(LEAST_MS, this.readMs(unreadTokens))
    const y = Math.min(Math.max(LEAST_MS, tookMs), expectedMs * MOST_SURPRISE)
    this.spread += ALPHA * (Math.abs(y - expectedMs) / expectedMs - this.spread)
    const surprise = y > expectedMs * CHANGED ? 1 : y * CHANGED < expectedMs ? -1 : 0
    const kept = surprise !== 0 && surprise === this.#surprise ? KEPT_OF_CHANGED : KEPT
    this.#surprise = surprise
    this.#fade(kept * 0.5 ** ((nowMs - this.#atMs) / HALF_LIFE_MS))
    this.#priorWeight = Math.max(LEAST_PRIOR, this.#priorWeight * KEPT)
    this.#atMs = nowMs
    this.#measurements += 1
    // Relative to both: what took unexpectedly long most often met others that nobody told of.
    const weight = trust / (expectedMs * y)
    this.#weight += weight
    this.#x += weight * x
    this.#xx += weight * x * x
    this.#y += weight * y
    this.#xy += weight * x * y
    this.#solve()
  }

  #scale(times: number): void {
    const { fixedMs, perThousandMs, spread } = this.#prior
    this.#prior = { fixedMs: fixedMs * times, perThousandMs: perThousandMs * times, spread }
    this.fixedMs = this.#prior.fixedMs
    this.perThousandMs = this.#prior.perThousandMs
  }

  #fade(share: number): void {
    this.#weight *= share
    this.#x *= share
    this.#xx *= share
    this.#y *= share
    this.#xy *= share
  }

  #solve(): void {
    const { fixedMs, perThousandMs } = this.#prior
    const a = this.#weight + this.#priorWeight / fixedMs ** 2
    const d = this.#xx + this.#priorWeight / perThousandMs ** 2
    const e = this.#y + this.#priorWeight / fixedMs
    const f = this.#xy + this.#priorWeight / perThousandMs
    const determinant = a * d - this.#x ** 2
    const fixed = (e * d - f * this.#x) / determinant
    const slope = (f * a - e * this.#x) / determinant
    // A line that falls, or begins below nothing, is noise: one of the two then explains it all.
    if (slope < 0) [this.fixedMs, this.perThousandMs] = [e / a, 0]
    else if (fixed < 0) [this.fixedMs, this.perThousandMs] = [0, f / d]
    else [this.fixedMs, this.perThousandMs] = [fixed, slope]
  }
}
