import type { MonotonicClock } from '../../base/clock.js'
import { type Estimate, estimateOf, type ProviderLoad, STRANGER_LOAD, type Work } from './estimate/estimate.js'
import { unknownPace } from './estimate/pace.js'
import { ProviderScore, type ScoredAttempt } from './estimate/provider-score.js'

/** Live measurements per provider. */
export interface ProviderScores {
  load(peerId: string): ProviderLoad
  /** What a request may expect there. */
  estimate(peerId: string, work?: Work): Estimate
  /** How often that peer was measured at requests for that `offerKey`. */
  measurements(peerId: string, offer: string): number
  /** True when a request was given up there without an answer, and none has been answered since. */
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
}

/** Peers remembered; the longest unused idle one is forgotten first. */
const MAX_SCORES = 4_096

const NO_WORK: Work = { offer: '', unreadTokens: 0 }

/** Scores from what this node measures and what peers report. */
export function createProviderScores(needs: {
  monotonic: MonotonicClock
  /** To that peer and back, ms, where it was measured. */
  roundTripMs?: (peerId: string) => number | undefined
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
    const score = this.#scores.get(peerId)
    const load = score?.load(this.#nowMs()) ?? STRANGER_LOAD
    return estimateOf(load, score?.paces.peek(offer) ?? unknownPace(load.rttMs), unreadTokens)
  }

  measurements(peerId: string, offer: string): number {
    return this.#scores.get(peerId)?.paces.peek(offer)?.measurements ?? 0
  }

  keptWaiting(peerId: string): boolean {
    return this.#scores.get(peerId)?.keptWaiting ?? false
  }

  begin(peerId: string, work: Work = NO_WORK): ScoredAttempt {
    return this.#scoreOf(peerId).begin(work, this.#needs.monotonic)
  }

  reported(peerId: string, { slots, queued }: { slots: number; queued: number }): void {
    const score = this.#scoreOf(peerId)
    score.rttMs = this.#needs.roundTripMs?.(peerId) ?? score.rttMs
    const nowMs = this.#nowMs()
    // Its report includes our own requests, as far as they were there.
    const own = score.inFlight - score.onTheWay(nowMs)
    score.reported = { slots, others: Math.max(0, queued - own), atMs: nowMs }
  }

  reportAgeMs(peerId: string): number | undefined {
    const reported = this.#scores.get(peerId)?.reported
    return reported === undefined ? undefined : this.#nowMs() - reported.atMs
  }

  refusedLately(peerId: string): boolean {
    const score = this.#scores.get(peerId)
    if (score === undefined) return false
    return score.refusedUntilMs > this.#nowMs() || (!score.isMeasured && score.inFlight > 0)
  }

  forget(peerId: string): void {
    this.#scores.delete(peerId)
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
