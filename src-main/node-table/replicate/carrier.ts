import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { extractEnvelopes } from '../wire/canonical-update.js'
import { createTableDocuments } from './document.js'
import type { TableDocuments } from './document.js'
import { epochOf } from '../wire/epoch.js'
import type { TableStore } from '../store/persistence.js'
import type { Entry, TableView } from '../view/view.js'

/** Carries the view into the Yjs documents and onto the disk, and back at the next start. */
export interface TableCarrier {
  readonly documents: TableDocuments
  /** Reads what the disk has into the view, each row checked like a stranger's. Call once, before anything else comes in. */
  load(): Promise<void>
  /** Drops what is over, and rebuilds what has grown far beyond the view; everything with `rebuildAll`. */
  maintain(options?: { rebuildAll: boolean }): Promise<void>
  /** Writes what waits, and closes the store. */
  close(): Promise<void>
}

/** Entries that a document may carry beyond those of the view before it is built anew. */
const MAX_DOCUMENT_SLACK = 1000
/** One stored update may be the whole table. */
const MAX_STORED_UPDATE_BYTES = 128 * 1024 * 1024
const ENVELOPES_PER_TURN = 64

/** A carrier between this view and this store. From now on, what the view takes in is written. */
export function createTableCarrier(needs: {
  view: TableView
  store: TableStore
  clock: Clock
  log: Log
}): TableCarrier {
  const { view, store, clock, log } = needs
  let isLoading = false

  const documents = createTableDocuments({
    log,
    onUpdate(epoch, update) {
      if (!isLoading) store.append(epoch, update)
    },
  })
  view.onAccepted((entry) => documents.add(entry))

  function entriesOf(epoch: number): Entry[] {
    return [...view.all()].filter((entry) => entry.epoch === epoch)
  }

  async function loadEpoch(epoch: number): Promise<void> {
    let skipped = 0
    let seen = 0
    for (const update of await store.load(epoch)) {
      const envelopes = extractEnvelopes(update, MAX_STORED_UPDATE_BYTES)
      if (envelopes === undefined) skipped += 1
      for (const envelope of envelopes ?? []) {
        seen += 1
        if (seen % ENVELOPES_PER_TURN === 0) await nextTurn()
        const verdict = view.ingest(envelope, 'disk')
        if (verdict === 'malformed' || verdict === 'forged') skipped += 1
      }
    }
    if (skipped > 0) log.warn('parts of the node table on disk were not valid and were left out', { epoch, skipped })
  }

  async function rebuildWhereGrown(rebuildAll: boolean): Promise<void> {
    const current = epochOf(clock.now())
    for (const epoch of [current - 1, current, current + 1]) {
      const entries = entriesOf(epoch)
      const isGrown = documents.size(epoch) > entries.length + MAX_DOCUMENT_SLACK
      if (!rebuildAll && !isGrown && !store.needsReplacing(epoch)) continue
      documents.flush()
      await store.replace(epoch, documents.rebuild(epoch, entries))
    }
  }

  return {
    documents,
    async load() {
      const current = epochOf(clock.now())
      isLoading = true
      for (const epoch of [current - 1, current, current + 1]) await loadEpoch(epoch)
      store.confirmRead()
      documents.flush()
      isLoading = false
      await this.maintain()
    },
    async maintain({ rebuildAll } = { rebuildAll: false }) {
      const current = epochOf(clock.now())
      documents.keepOnly(current - 1, current + 1)
      await store.keepOnly(current - 1, current + 1)
      await rebuildWhereGrown(rebuildAll)
    },
    async close() {
      documents.close()
      await store.close()
    },
  }
}
