import { BoundedMap } from '../../../base/bounded-map.js'
import type { MonotonicClock } from '../../../base/clock.js'
import {
  crowding,
  DEFAULT_SLOTS,
  estimateOf,
  type ProviderLoad,
  queueingMs,
  STRANGER_LOAD,
  travelMs,
  type Work,
} from './estimate.js'
import type { LearnedRate } from './learned-rates.js'
import { Pace } from './pace.js'

/** One request at a provider, as it is scored. */
export interface ScoredAttempt {
  /** The first byte came after so many ms. */
  answered(ttfbMs: number): void
  /** The peer refused; it is left alone for a while, and longer each time unless it is known to be full. */
  refused(retryAfterMs?: number): void
  /**
   * It was left before it had answered. Within `patienceMs` that says no more than that the peer takes at least so long;
   * beyond, it kept its answer waiting as {@link ScoredAttempt.stalled} has it.
   */
  left(patienceMs: number): void
  /** It did not answer in time, or stopped in the middle: the peer is left alone as after a refusal. */
  stalled(): void
  /** It is over, in whatever way. Calls after the first do nothing. */
  end(): void
}

/** What a peer reports of its load counts that long; its number of slots is kept. */
const REPORT_FOR_MS = 30_000

/** How long a peer that was full is asked last: about what a short answer takes to make room. */
const FULL_FOR_MS = 2_000
const MAX_FULL_FOR_MS = 10_000

/**
 * One that refuses although it says that it has room, or never answered at all, is left alone for so long, twice as long
 * each time: it may do nothing but read what it is sent.
 */
const FIRST_REFUSAL_MS = 10_000
const MAX_REFUSAL_MS = 10 * 60_000

/** Offers of one provider that are measured apart; the longest unused one is forgotten first. */
const MAX_OFFERS = 16
/** Share of a fresh measurement in how long a request has a slot. */
const ALPHA = 0.3
/** The same in how busy others keep it. */
const ALPHA_OTHERS = 0.1
/** No slot is held for less, as far as others' requests are concerned. */
const LEAST_HOLD_MS = 1_000
/** An answer that takes longer counts as one of this length: an open channel is no measure of a queue. */
const MAX_ANSWER_MS = 120_000
/** What a measurement counts that came behind others: how long it waited for them is a guess. */
const BEHIND_OTHERS = 0.3

/** What is known of one provider. */
export class ProviderScore {
  readonly paces = new BoundedMap<string, Pace>(MAX_OFFERS)
  /** When each request that has no first byte yet began; the oldest comes first. */
  readonly waitingSinceMs: { readonly atMs: number }[] = []
  rttMs: number
  inFlight = 0
  holdMs: number | undefined
  isMeasured = false
  /** When a request was given up there without an answer, where none has been answered since. */
  keptWaitingAtMs: number | undefined
  reported: { slots: number; others: number; atMs: number } | undefined
  /** Others' requests that it usually reports. */
  #usualOthers = 0
  refusedUntilMs = 0
  /** Refusals and stalls since the last whole answer. */
  refusals = 0

  constructor(rttMs: number) {
    this.rttMs = rttMs
  }

  load(nowMs: number): ProviderLoad {
    const { reported } = this
    const [oldest] = this.waitingSinceMs
    return {
      inFlight: this.inFlight,
      slots: reported?.slots ?? DEFAULT_SLOTS,
      othersQueued: this.#othersQueued(nowMs),
      holdMs: this.holdMs ?? STRANGER_LOAD.holdMs,
      waitingMs: oldest === undefined ? 0 : Math.max(0, nowMs - oldest.atMs),
      rttMs: this.rttMs,
    }
  }

  /** It says that so many requests of others are there. */
  tells(slots: number, others: number, nowMs: number): void {
    this.#usualOthers = this.reported === undefined ? others : smoothed(this.#usualOthers, others, ALPHA_OTHERS)
    this.reported = { slots, others, atMs: nowMs }
  }

  /**
   * What it reported was true then. As long as a request has a slot those that were there go and others come: from then
   * on it is as busy as it usually is.
   */
  #othersQueued(nowMs: number): number {
    const { reported } = this
    if (reported === undefined || nowMs - reported.atMs > REPORT_FOR_MS) return 0
    const stillThere = Math.exp((reported.atMs - nowMs) / Math.max(LEAST_HOLD_MS, this.holdMs ?? STRANGER_LOAD.holdMs))
    return this.#usualOthers + (reported.others - this.#usualOthers) * stillThere
  }

  /** As `ProviderScores.refusedLately` has it. */
  isBusy(nowMs: number): boolean {
    return this.refusedUntilMs > nowMs || (!this.isMeasured && this.inFlight > 0)
  }

  begin(work: Work, monotonic: MonotonicClock, saidPerThousandMs?: number): ScoredAttempt {
    return new Attempt(this, this.#paceOf(work.offer, saidPerThousandMs), work, monotonic)
  }

  /** Takes up what an earlier run had measured; what was measured since counts more. */
  remember(rate: LearnedRate, at: { ageMs: number; nowMs: number }): void {
    const pace = this.#paceOf(rate.offer)
    if (pace.measurements > 0) return
    pace.remember(rate, at)
    this.holdMs ??= rate.holdMs
    this.isMeasured = true
  }

  #paceOf(offer: string, saidPerThousandMs?: number): Pace {
    let pace = this.paces.get(offer)
    if (pace === undefined) {
      pace = new Pace(this.rttMs, saidPerThousandMs)
      this.paces.set(offer, pace)
    }
    return pace
  }

  /** Requests of this node that had not reached it when it said what arrives here now. */
  onTheWay(nowMs: number): number {
    return this.waitingSinceMs.filter(({ atMs }) => atMs > nowMs - this.rttMs).length
  }

  leaveAlone(nowMs: number): void {
    this.refusals += 1
    this.refusedUntilMs = nowMs + backOffMs(this.refusals)
  }

  refused(nowMs: number, retryAfterMs: number): void {
    this.refusals += 1
    const fullMs = Math.min(Math.max(retryAfterMs, FULL_FOR_MS), MAX_FULL_FOR_MS)
    this.refusedUntilMs = nowMs + (this.#isKnownFull(nowMs) ? fullMs : backOffMs(this.refusals))
  }

  /** It answered before, and what it reports of itself leaves no slot free. */
  #isKnownFull(nowMs: number): boolean {
    const { reported } = this
    if (!this.isMeasured || reported === undefined) return this.isMeasured && this.refusals < 2
    return nowMs - reported.atMs > REPORT_FOR_MS || reported.others + this.inFlight >= reported.slots
  }
}

const smoothed = (before: number, fresh: number, share: number): number => before + share * (fresh - before)

const backOffMs = (refusals: number): number =>
  Math.min(FIRST_REFUSAL_MS * 2 ** Math.min(refusals - 1, 10), MAX_REFUSAL_MS)

class Attempt implements ScoredAttempt {
  readonly #score: ProviderScore
  readonly #pace: Pace
  readonly #work: Work
  readonly #monotonic: MonotonicClock
  readonly #before: ProviderLoad
  readonly #wait: { readonly atMs: number }
  #answeredAtMs: number | undefined
  #tookMs = 0
  #hasStalled = false
  #ended = false

  constructor(score: ProviderScore, pace: Pace, work: Work, monotonic: MonotonicClock) {
    this.#score = score
    this.#pace = pace
    this.#work = work
    this.#monotonic = monotonic
    const now = monotonic.elapsedMs()
    this.#before = score.load(now)
    this.#wait = { atMs: now }
    score.inFlight += 1
    score.waitingSinceMs.push(this.#wait)
  }

  answered(ttfbMs: number): void {
    if (this.#answeredAtMs !== undefined || this.#ended) return
    this.#answeredAtMs = this.#monotonic.elapsedMs()
    this.#score.keptWaitingAtMs = undefined
    this.#endWait()
    this.#measured(ttfbMs, false)
  }

  left(patienceMs: number): void {
    if (this.#answeredAtMs !== undefined || this.#ended) return
    const waitedMs = this.#monotonic.elapsedMs() - this.#wait.atMs
    this.#score.keptWaitingAtMs = this.#monotonic.elapsedMs()
    this.#measured(waitedMs, true)
    if (waitedMs >= patienceMs) this.#leaveAlone()
  }

  stalled(): void {
    if (this.#ended) return
    if (this.#answeredAtMs === undefined) {
      this.#score.keptWaitingAtMs = this.#monotonic.elapsedMs()
      this.#measured(this.#monotonic.elapsedMs() - this.#wait.atMs, true)
    }
    this.#leaveAlone()
  }

  refused(retryAfterMs = FULL_FOR_MS): void {
    this.#score.refused(this.#monotonic.elapsedMs(), retryAfterMs)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    const score = this.#score
    score.inFlight -= 1
    this.#endWait()
    if (this.#answeredAtMs === undefined) return
    // Not with the first byte: one that begins well and then stalls is not forgiven each time.
    if (!this.#hasStalled) score.refusals = 0
    const answerMs = Math.min(this.#monotonic.elapsedMs() - this.#answeredAtMs, MAX_ANSWER_MS)
    const holdMs = this.#tookMs + answerMs
    score.holdMs = score.holdMs === undefined ? holdMs : smoothed(score.holdMs, holdMs, ALPHA)
  }

  #leaveAlone(): void {
    this.#hasStalled = true
    this.#score.leaveAlone(this.#monotonic.elapsedMs())
  }

  #endWait(): void {
    const at = this.#score.waitingSinceMs.indexOf(this.#wait)
    if (at !== -1) this.#score.waitingSinceMs.splice(at, 1)
  }

  /** Learns of the part of a time to first byte that is not the wait and the crowd it was expected to meet. */
  #measured(ttfbMs: number, isAtLeast: boolean): void {
    const { unreadTokens } = this.#work
    const before = this.#before
    const crowd = crowding(before)
    const usualMs = estimateOf({ ...before, waitingMs: 0 }, this.#pace, unreadTokens).totalMs - queueingMs(before)
    const expectedWaitMs = queueingMs(before)
    const tookMs = Math.max(ttfbMs - expectedWaitMs, Math.min(ttfbMs, usualMs))
    this.#tookMs = tookMs
    if (isAtLeast && tookMs <= usualMs) return
    const wayMs = Math.min(tookMs, travelMs(before, this.#pace))
    const nowMs = this.#monotonic.elapsedMs()
    this.#pace.measured(unreadTokens, wayMs + (tookMs - wayMs) / crowd, {
      nowMs,
      trust: expectedWaitMs > 0 ? BEHIND_OTHERS : 1,
    })
    this.#score.isMeasured = true
  }
}
