import type { Service } from '../../base/lifecycle.js'
import type { NodeTable } from '../../node-table/index.js'
import { DEFAULT_SLOTS } from './estimate/estimate.js'
import type { ProviderScores } from './provider-scores.js'

/** Hands what peers report of their load on to the scores. */
export function createStatusFollower(needs: {
  table: { status: Pick<NodeTable['status'], 'subscribe'> }
  scores: Pick<ProviderScores, 'reported'>
}): Service {
  const { table, scores } = needs
  let unsubscribe: (() => void) | undefined
  return {
    name: 'status-follower',
    start() {
      unsubscribe = table.status.subscribe(({ peerId, outcome }) => {
        if (outcome.kind !== 'answered') return
        const { slotsTotal, queueLength } = outcome.status
        scores.reported(peerId, { slots: slotsTotal ?? DEFAULT_SLOTS, queued: queueLength })
      })
      return Promise.resolve()
    },
    stop() {
      unsubscribe?.()
      return Promise.resolve()
    },
  }
}
