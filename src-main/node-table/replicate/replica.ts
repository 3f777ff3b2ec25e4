import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { TableStore } from '../store/persistence.js'
import type { TableView } from '../view/view.js'
import { extractEnvelopes } from '../wire/canonical-update.js'
import { epochOf } from '../wire/epoch.js'
import type { TableDocuments } from './documents.js'
import type { Verifier } from './verifier.js'

/** The table's documents on the disk: read back at the next start, kept small in between. */
export interface TableReplica {
  /** Reads the disk into the documents, each row checked like a stranger's. Call once, before anything else comes in. */
  load(): Promise<void>
  /** Drops what is over, and rebuilds what has grown far beyond the view; everything with `rebuildAll`. */
  maintain(options?: { rebuildAll: boolean }): Promise<void>
  /** Writes what waits, and closes documents and store. */
  close(): Promise<void>
}

/** Rows that a document may hold beyond those of the view before it is built anew. */
const MAX_DOCUMENT_SLACK = 1000
/** One stored update may be the whole table. */
const MAX_STORED_UPDATE_BYTES = 128 * 1024 * 1024
const ENVELOPES_PER_TURN = 64

/** The replica in this store. From now on, what is observed in the documents is written. */
export function createTableReplica(needs: {
  view: TableView
  documents: TableDocuments
  verifier: Verifier
  store: TableStore
  clock: Clock
  log: Log
}): TableReplica {
  const { view, documents, verifier, store, clock, log } = needs
  let isLoading = false

  documents.onWritten((epoch, update) => {
    if (!isLoading) store.append(epoch, update)
  })

  async function loadEpoch(epoch: number): Promise<void> {
    let skipped = 0
    let seen = 0
    for (const update of await store.load(epoch)) {
      const envelopes = extractEnvelopes(update, MAX_STORED_UPDATE_BYTES)
      if (envelopes === undefined) skipped += 1
      for (const envelope of envelopes ?? []) {
        seen += 1
        if (seen % ENVELOPES_PER_TURN === 0) await nextTurn()
        const verdict = verifier.ingest(envelope, 'disk')
        if (verdict === 'malformed' || verdict === 'forged') skipped += 1
      }
    }
    if (skipped > 0) log.warn('parts of the node table on disk were not valid and were left out', { epoch, skipped })
  }

  function countByEpoch(): Map<number, number> {
    const counts = new Map<number, number>()
    for (const { epoch } of view.all()) counts.set(epoch, (counts.get(epoch) ?? 0) + 1)
    return counts
  }

  async function rebuildWhereGrown(rebuildAll: boolean): Promise<void> {
    verifier.flush()
    const current = epochOf(clock.now())
    const counts = countByEpoch()
    for (const epoch of [current - 1, current, current + 1]) {
      const [held, shown] = [documents.size(epoch), counts.get(epoch) ?? 0]
      // A document was dropped while the clock was wrong, and the view has its rows again.
      const isBehind = held < shown
      const isGrown = held > shown + MAX_DOCUMENT_SLACK
      if (!rebuildAll && !isBehind && !isGrown && !store.needsReplacing(epoch)) continue
      verifier.flush()
      await store.replace(epoch, documents.rebuild(epoch))
    }
  }

  return {
    async load() {
      const current = epochOf(clock.now())
      isLoading = true
      for (const epoch of [current - 1, current, current + 1]) await loadEpoch(epoch)
      store.confirmRead()
      verifier.flush()
      isLoading = false
      await this.maintain()
    },
    async maintain({ rebuildAll } = { rebuildAll: false }) {
      const current = epochOf(clock.now())
      documents.keepOnly(current - 1, current + 1, clock.now())
      await store.keepOnly(current - 1, current + 1)
      await rebuildWhereGrown(rebuildAll)
    },
    async close() {
      verifier.close()
      documents.close()
      await store.close()
    },
  }
}
