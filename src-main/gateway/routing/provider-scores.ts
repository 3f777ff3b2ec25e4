import type { ModelSpeed } from '#shared/model-facts.js'
import type { MonotonicClock } from '../../base/clock.js'
import {
  type Estimate,
  estimateOf,
  type ProviderLoad,
  saidHoldMs,
  STRANGER_LOAD,
  type Work,
} from './estimate/estimate.js'
import type { LearnedRate } from './estimate/learned-rates.js'
import { type PaceFigures, unknownPace } from './estimate/pace.js'
import { ProviderScore, type ScoredAttempt } from './estimate/provider-score.js'

/** Live measurements per provider. */
export interface ProviderScores {
  load(peerId: string): ProviderLoad
  /** What a request may expect there. */
  estimate(peerId: string, work?: Work): Estimate
  /**
   * What a choice compares at this moment, of requests for that `offerKey`: what one of so many unread tokens may expect
   * there, with what it costs others, ms, and `refusedLately`. Cheap: it is asked of each candidate.
   */
  comparing(offer: string): (peerId: string, unreadTokens: number) => { ms: number; isBusy: boolean }
  /** How often that peer was measured at requests for that `offerKey`. */
  measurements(peerId: string, offer: string): number
  /**
   * Whether little is known of it for that `offerKey`: it was measured a few times at most, the first of which may have
   * been spent on a connection or on loading the model, was not measured for so long that it may have changed, or was
   * far faster than expected the last time.
   */
  isLittleKnown(peerId: string, offer: string): boolean
  /** True for a while after a request was given up there without an answer, until one is answered. */
  keptWaiting(peerId: string): boolean
  /** A request begins there. */
  begin(peerId: string, work?: Work): ScoredAttempt
  /** The peer reports how busy it is: slots, and requests at work or waiting, this node's among them. */
  reported(peerId: string, status: { slots: number; queued: number }): void
  /** How old that report is, ms; undefined where there is none. */
  reportAgeMs(peerId: string): number | undefined
  /**
   * True for a while after the peer refused a request, and while the first request that it ever got from here is
   * without an answer: what was never measured gets one to show itself with.
   */
  refusedLately(peerId: string): boolean
  forget(peerId: string): void
  /** What was measured of each provider and model, for the next run of the program; `nowMs` is the wall clock's. */
  learned(nowMs: number): LearnedRate[]
  /** Takes up what an earlier run had measured, so many ms ago. */
  remember(rate: LearnedRate, ageMs: number): void
}

/** So many measurements of one offer tell what it takes, until none has come for so many ms. */
const ENOUGH = 3
const KNOWN_FOR_MS = 10 * 60_000

/** Peers remembered; the longest unused idle one is forgotten first. */
const MAX_SCORES = 4_096

const NO_WORK: Work = { offer: '', unreadTokens: 0 }

/** Scores from what this node measures and what peers report. */
export function createProviderScores(needs: {
  monotonic: MonotonicClock
  /** To that peer and back, ms, where it was measured. */
  roundTripMs?: (peerId: string) => number | undefined
  /** What its owner measured of what it offers under that `offerKey`: counts until this node has measured it itself. */
  saidSpeed?: (peerId: string, offer: string) => ModelSpeed | undefined
}): ProviderScores {
  return new MeasuredScores(needs)
}

class MeasuredScores implements ProviderScores {
  readonly #needs: Parameters<typeof createProviderScores>[0]
  readonly #scores = new Map<string, ProviderScore>()

  constructor(needs: Parameters<typeof createProviderScores>[0]) {
    this.#needs = needs
  }

  load(peerId: string): ProviderLoad {
    return this.#scores.get(peerId)?.load(this.#nowMs()) ?? STRANGER_LOAD
  }

  estimate(peerId: string, { offer, unreadTokens }: Work = NO_WORK): Estimate {
    return this.#estimate(peerId, this.#scores.get(peerId), { offer, unreadTokens }, this.#nowMs())
  }

  comparing(offer: string): ReturnType<ProviderScores['comparing']> {
    const nowMs = this.#nowMs()
    return (peerId, unreadTokens) => {
      const score = this.#scores.get(peerId)
      const { totalMs, othersMs } = this.#estimate(peerId, score, { offer, unreadTokens }, nowMs)
      return { ms: totalMs + othersMs, isBusy: score?.isBusy(nowMs) ?? false }
    }
  }

  measurements(peerId: string, offer: string): number {
    return this.#scores.get(peerId)?.paces.peek(offer)?.measurements ?? 0
  }

  isLittleKnown(peerId: string, offer: string): boolean {
    const pace = this.#scores.get(peerId)?.paces.peek(offer)
    if (pace === undefined || pace.measurements < ENOUGH || pace.mayBeFaster) return true
    return this.#nowMs() - pace.measuredAtMs >= KNOWN_FOR_MS
  }

  keptWaiting(peerId: string): boolean {
    const atMs = this.#scores.get(peerId)?.keptWaitingAtMs
    return atMs !== undefined && this.#nowMs() - atMs < KNOWN_FOR_MS
  }

  begin(peerId: string, work: Work = NO_WORK): ScoredAttempt {
    const score = this.#scoreOf(peerId)
    const isNew = score.paces.peek(work.offer) === undefined
    const said = isNew ? this.#needs.saidSpeed?.(peerId, work.offer)?.promptMsPer1000 : undefined
    return score.begin(work, this.#needs.monotonic, said)
  }

  reported(peerId: string, { slots, queued }: { slots: number; queued: number }): void {
    const score = this.#scoreOf(peerId)
    score.rttMs = this.#needs.roundTripMs?.(peerId) ?? score.rttMs
    const nowMs = this.#nowMs()
    // Its report includes our own requests, as far as they were there.
    const own = score.inFlight - score.onTheWay(nowMs)
    score.tells(slots, Math.max(0, queued - own), nowMs)
  }

  reportAgeMs(peerId: string): number | undefined {
    const reported = this.#scores.get(peerId)?.reported
    return reported === undefined ? undefined : this.#nowMs() - reported.atMs
  }

  refusedLately(peerId: string): boolean {
    return this.#scores.get(peerId)?.isBusy(this.#nowMs()) ?? false
  }

  forget(peerId: string): void {
    this.#scores.delete(peerId)
  }

  learned(nowMs: number): LearnedRate[] {
    const elapsedMs = this.#nowMs()
    return [...this.#scores].flatMap(([peer, { paces, holdMs }]) =>
      [...paces]
        .filter(([offer, { measurements }]) => offer !== '' && measurements > 0)
        .map(([offer, { fixedMs, perThousandMs, spread, measurements, measuredAtMs }]) => {
          const atMs = Math.max(0, Math.round(nowMs - (elapsedMs - measuredAtMs)))
          return { peer, offer, fixedMs, perThousandMs, spread, measurements, holdMs, atMs }
        }),
    )
  }

  remember(rate: LearnedRate, ageMs: number): void {
    this.#scoreOf(rate.peer).remember(rate, { ageMs, nowMs: this.#nowMs() })
  }

  #estimate(peerId: string, score: ProviderScore | undefined, work: Work, nowMs: number): Estimate {
    const { offer, unreadTokens } = work
    const load = score?.load(nowMs) ?? STRANGER_LOAD
    const pace = score?.paces.peek(offer)
    if (pace !== undefined && pace.measurements > 0) return estimateOf(load, pace, unreadTokens)
    const said = this.#needs.saidSpeed?.(peerId, offer)
    if (said === undefined) return estimateOf(load, pace ?? unknownPace(load.rttMs), unreadTokens)
    const guess: Readonly<PaceFigures> = unknownPace(load.rttMs, said.promptMsPer1000)
    const holdMs = score?.holdMs ?? saidHoldMs(said.tokensPerS)
    return estimateOf({ ...load, holdMs }, guess, unreadTokens)
  }

  #nowMs(): number {
    return this.#needs.monotonic.elapsedMs()
  }

  #scoreOf(peerId: string): ProviderScore {
    let score = this.#scores.get(peerId)
    if (score === undefined) {
      score = new ProviderScore(this.#needs.roundTripMs?.(peerId) ?? STRANGER_LOAD.rttMs)
      if (this.#scores.size >= MAX_SCORES) this.#forgetOldestIdle()
      this.#scores.set(peerId, score)
    }
    return score
  }

  #forgetOldestIdle(): void {
    for (const [peerId, { inFlight }] of this.#scores) {
      if (inFlight > 0) continue
      this.#scores.delete(peerId)
      return
    }
  }
}
