import type { Provider } from '../choose-providers.js'
import { inSteps } from '../patience.js'
import type { ProviderScores } from '../provider-scores.js'
import type { RequestReach } from '../reach.js'
import type { RequestWork } from './request-work.js'

/** So much of a request each one earns that may be sent to a second provider, and so many are saved up at most. */
const SHARE = 0.05
const MOST_SAVED = 2
/** The same in work, for long prompts are late more often: tokens to be read, and what each request takes beside them. */
const MOST_SAVED_TOKENS = 32_000
const TOKENS_BESIDE = 500

/** A first token is later than that many times what is usually expected wrongly in about 5 of 100 cases. */
const TIMES_SPREAD = 2.5
/** What comes sooner is worth no second attempt, ms. */
const LEAST_MS = 400
/** Waits of one length share a timer: there are so many lengths until one is twice as long. */
const STEPS_TO_DOUBLE = 8

/** Second attempts for the sake of speed: when the first is late, at whom, and at most one for every twenty requests. */
export class Hedging {
  readonly #scores: Pick<ProviderScores, 'estimate' | 'measurements' | 'refusedLately'>
  readonly #reach: Pick<RequestReach, 'isTrusted'>
  #saved = 0
  #savedTokens = 0

  constructor(needs: {
    scores: Pick<ProviderScores, 'estimate' | 'measurements' | 'refusedLately'>
    reach: Pick<RequestReach, 'isTrusted'>
  }) {
    this.#scores = needs.scores
    this.#reach = needs.reach
  }

  /**
   * A request is about to be sent to that peer: after how many ms its first token is late, by what it was expected to
   * take and how wrong such expectations were. Undefined at a stranger that was never measured. To be called once for
   * each request: it earns its share of a second attempt.
   */
  lateAfterMs(peerId: string, work: RequestWork): number | undefined {
    this.#saved = Math.min(MOST_SAVED, this.#saved + SHARE)
    this.#savedTokens = Math.min(MOST_SAVED_TOKENS, this.#savedTokens + SHARE * tokensOf(work, peerId))
    if (!this.#isKnown(peerId, work)) return undefined
    const { totalMs, spread } = this.#scores.estimate(peerId, work.at(peerId))
    return inSteps(Math.max(LEAST_MS, totalMs * (1 + TIMES_SPREAD * spread)), STEPS_TO_DOUBLE)
  }

  /**
   * Whether that one is asked second, where the first was waited for so long (ms): it is trusted or was measured, has not
   * refused a moment ago, is expected to take no longer than that, and a second attempt of so much work is left, which is
   * taken then.
   */
  takes(provider: Provider, work: RequestWork, waitedMs: number): boolean {
    if (provider.kind !== 'peer' || !this.#isKnown(provider.peerId, work)) return false
    const { peerId } = provider
    // That others wait there says which of two is better, and nothing of how long this one would take.
    const { totalMs, hangMs } = this.#scores.estimate(peerId, work.at(peerId))
    if (totalMs - hangMs > waitedMs || this.#scores.refusedLately(peerId)) return false
    const tokens = tokensOf(work, peerId)
    if (this.#saved < 1 || this.#savedTokens < tokens) return false
    this.#saved -= 1
    this.#savedTokens -= tokens
    return true
  }

  #isKnown(peerId: string, { offer }: RequestWork): boolean {
    return this.#reach.isTrusted(peerId) || this.#scores.measurements(peerId, offer) > 0
  }
}

const tokensOf = (work: RequestWork, peerId: string): number => work.unreadTokens(peerId) + TOKENS_BESIDE
