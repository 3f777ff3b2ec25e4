import { within } from '../../../base/within.js'
import type { NodeTable } from '../../../node-table/index.js'
import type { Provider } from '../choose-providers.js'
import type { ProviderScores } from '../provider-scores.js'
import type { Estimate } from './estimate.js'
import type { RequestWork } from './request-work.js'

/** Reports that are newer are not asked for again. */
const FRESH_MS = 500
/** A request waits for fresh reports for this share of what it is expected to take, and so many ms, at most. */
const WORTH = 0.05
const WAIT_MS = 150

/**
 * Asks the best candidates how busy they are before one of them gets a request, where that takes next to nothing of the
 * time the answer will: a gateway with few requests knows little of what others send. One request at a time waits for
 * that; those that come meanwhile go by what is known, so that a burst is not sent to one provider.
 */
export class FreshStatus {
  readonly #status: Pick<NodeTable['status'], 'refresh'>
  readonly #scores: Pick<ProviderScores, 'estimate' | 'reportAgeMs'>
  #isAsking = false

  constructor(needs: {
    status: Pick<NodeTable['status'], 'refresh'>
    scores: Pick<ProviderScores, 'estimate' | 'reportAgeMs'>
  }) {
    this.#status = needs.status
    this.#scores = needs.scores
  }

  /** Undefined where nobody is asked; resolves when all have answered, or the time is up. Never rejects. */
  ask(candidates: readonly Provider[], work: RequestWork): Promise<void> | undefined {
    if (this.#isAsking || candidates.length < 2 || candidates[0]?.kind !== 'peer') return undefined
    const peers = candidates.flatMap((candidate) => (candidate.kind === 'peer' ? [candidate.peerId] : []))
    const old = peers.filter((peerId) => (this.#scores.reportAgeMs(peerId) ?? 0) > FRESH_MS)
    if (old.length === 0) return undefined
    const expected = (peerId: string): Estimate => this.#scores.estimate(peerId, work.at(peerId))
    const withinMs = Math.min(WAIT_MS, WORTH * Math.min(...peers.map((peerId) => expected(peerId).totalMs)))
    const stale = old.filter((peerId) => expected(peerId).rttMs <= withinMs)
    return stale.length === 0 ? undefined : this.#refresh(stale, withinMs)
  }

  async #refresh(peerIds: readonly string[], withinMs: number): Promise<void> {
    this.#isAsking = true
    try {
      await within(Promise.all(peerIds.map((peerId) => this.#status.refresh(peerId))), withinMs, () => [])
    } finally {
      this.#isAsking = false
    }
  }
}
