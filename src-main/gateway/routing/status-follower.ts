import type { Service } from '../../base/lifecycle.js'
import type { NodeTable } from '../../node-table/index.js'
import { DEFAULT_SLOTS } from './provider-estimate.js'
import type { ProviderScores } from './provider-scores.js'

/** Tells the scores what peers answer when they are asked how busy they are. */
export function createStatusFollower(needs: {
  table: { status: Pick<NodeTable['status'], 'subscribe'> }
  scores: Pick<ProviderScores, 'told'>
}): Service {
  const { table, scores } = needs
  let unsubscribe: (() => void) | undefined
  return {
    name: 'status-follower',
    start() {
      unsubscribe = table.status.subscribe(({ peerId, outcome }) => {
        if (outcome.kind !== 'answered') return
        const { slotsTotal, queueLength } = outcome.status
        scores.told(peerId, { slots: slotsTotal ?? DEFAULT_SLOTS, queued: queueLength })
      })
      return Promise.resolve()
    },
    stop() {
      unsubscribe?.()
      return Promise.resolve()
    },
  }
}
