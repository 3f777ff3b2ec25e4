import type { MonotonicClock } from '../../base/clock.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { BucketRate } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import { MIN_PARTIAL_ROWS } from '../budget/gossip-budget.js'
import type { TableView } from '../view/view.js'
import { MAX_GOSSIP_BYTES } from './gossip.js'
import type { TableGossip } from './gossip.js'
import type { OwnRow } from './own-row.js'
import type { EquivocationProof } from './proofs.js'
import type { TableSync } from './sync.js'

/** Makes up for what gossip loses: no one had subscribed yet, a link has just come back, rows came by a sync. */
export interface Rebroadcast {
  /** Sends this node's own row, and remembers how many got it. */
  announce(envelope: Uint8Array): Promise<void>
  /** Sends a proof, so that nodes that saw one of its rows drop the owner too. Above a rate, syncs bring it. */
  passOnProof(proof: EquivocationProof): void
  stop(): void
}

/** Peers that must have been handed the own row; as long as it were fewer, a new subscriber makes it go out again. */
const WELL_ANNOUNCED = 6
/** Several subscribers at once cost one repetition. */
const REPEAT_AFTER_MS = 100
/** What one sync brings and fits into a message is gossiped on; more goes on by syncs, within this time. */
const PASS_ON_WITHIN_MS = 2000
const PASS_ON_TO_PEERS = 2
/** Proofs that are gossiped on: identities cost nothing, so there is no end of them. */
const PROOFS: BucketRate = { capacity: 10, refillPerS: 0.2 }

/** Repeats the own row, and passes on by gossip what syncs bring. */
export function createRebroadcast(
  needs: {
    gossip: TableGossip
    sync: TableSync
    ownRow: OwnRow
    view: Pick<TableView, 'entryCount'>
    /** Whether the table holds only a part of the network; absent: no. */
    isPartial?: () => boolean
    monotonic: MonotonicClock
    log: Log
  },
  options: { peerId: string },
): Rebroadcast {
  const { gossip, sync, ownRow, view, isPartial = () => false, monotonic, log } = needs
  const compareWith = new Set<string>()
  let announcedTo = 0
  let isStopped = false
  let proofs = fullBucket(PROOFS, monotonic.elapsedMs())
  let repeatTimer: NodeJS.Timeout | undefined
  let passOnTimer: NodeJS.Timeout | undefined

  async function repeat(): Promise<void> {
    repeatTimer = undefined
    for (const peerId of compareWith) sync.request(peerId)
    compareWith.clear()
    if (announcedTo < WELL_ANNOUNCED) await ownRow.repeat()
  }

  gossip.onSubscriber((peerId) => {
    // What was gossiped between the first sync with this peer and its subscription; one of the two asks. Large tables are
    // compared in rounds alone: lookups connect to some forty peers each.
    if (options.peerId < peerId && view.entryCount < MIN_PARTIAL_ROWS) compareWith.add(peerId)
    repeatTimer ??= setTimeout(() => {
      repeat().catch((error: unknown) => log.error('repeating the own row failed', { error }))
    }, REPEAT_AFTER_MS)
  })

  function passOnBySync(peerId: string): void {
    if (isStopped) return
    passOnTimer ??= setTimeout(() => {
      passOnTimer = undefined
      if (!sync.isAffordable) return
      void sync.withRandomPeers(PASS_ON_TO_PEERS, peerId)
    }, Math.random() * PASS_ON_WITHIN_MS)
  }

  /**
   * Gossip sends nothing twice: what came by gossip too while the sync was still under way was dropped there, as known,
   * and can't be sent any more. Of partial tables each sync brings rows to both sides: passed on, they would never end.
   */
  async function passOn(envelopes: readonly Uint8Array[], peerId: string): Promise<void> {
    if (isPartial()) return
    const sizeBytes = envelopes.reduce((sum, envelope) => sum + 2 + envelope.byteLength, 0)
    const reached = sizeBytes <= MAX_GOSSIP_BYTES ? await gossip.send(envelopes) : 0
    if (reached === 0) passOnBySync(peerId)
  }

  sync.onLearned((envelopes, peerId) => {
    passOn(envelopes, peerId).catch((error: unknown) => log.error('passing rows on failed', { error }))
  })

  return {
    async announce(envelope) {
      announcedTo = await gossip.send([envelope])
    },
    passOnProof({ envelopes }) {
      proofs = refilled(proofs, PROOFS, monotonic.elapsedMs())
      if (proofs.tokens < 1 || isStopped) return
      proofs = { ...proofs, tokens: proofs.tokens - 1 }
      // The same bytes at every node: gossipsub passes them on once.
      gossip.send(envelopes).catch((error: unknown) => log.error('passing a proof on failed', { error }))
    },
    stop() {
      isStopped = true
      clearTimeout(repeatTimer)
      clearTimeout(passOnTimer)
    },
  }
}
