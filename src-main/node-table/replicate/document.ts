import * as Y from 'yjs'
import type { Log } from '../../logging/index.js'
import { canonicalUpdate } from '../wire/canonical-update.js'
import type { CanonicalEntry } from '../wire/canonical-update.js'

/** The carriers of the view: one Yjs document per epoch, built only from updates that this node writes itself. */
export interface TableDocuments {
  /** Puts an entry that the view took in into its epoch's document, with the next batch. */
  add(entry: CanonicalEntry): void
  /** Writes the waiting batch now. */
  flush(): void
  /** The document of an epoch; owned by the table, read only. */
  get(epoch: number): Y.Doc | undefined
  /** Entries ever put into the document of that epoch, superseded and dropped ones included. */
  size(epoch: number): number
  /** Builds the document of an epoch anew, of exactly these entries. Returns its update. */
  rebuild(epoch: number, entries: readonly CanonicalEntry[]): Uint8Array
  /** Drops the documents of all epochs but these. */
  keepOnly(oldest: number, newest: number): void
  /** Flushes and lets go of the documents. */
  close(): void
}

/** A transaction costs time in the number of rows, so changes are written together. */
const FLUSH_AFTER_MS = 150
const FLUSH_AT_ENTRIES = 256

interface EpochDocument {
  doc: Y.Doc
  /** Client id → whose it is: a second peer with the same one would delete the first from the document. */
  owners: Map<number, string>
  waiting: Map<string, CanonicalEntry>
}

/** Documents that call `onUpdate` with every batch they took in, in order. */
export function createTableDocuments(
  needs: { log: Log; onUpdate: (epoch: number, update: Uint8Array) => void },
  options: { flushAfterMs?: number } = {},
): TableDocuments {
  const documents = new Map<number, EpochDocument>()
  let timer: NodeJS.Timeout | undefined
  let waitingCount = 0
  let isClosed = false

  function open(epoch: number): EpochDocument {
    const found = documents.get(epoch)
    if (found !== undefined) return found
    const created: EpochDocument = { doc: new Y.Doc({ gc: true }), owners: new Map(), waiting: new Map() }
    documents.set(epoch, created)
    return created
  }

  /** The view stays right without the document; the row is served by gossip and sync all the same. */
  function mayHold(document: EpochDocument, entry: CanonicalEntry): boolean {
    const owner = document.owners.get(entry.clientId)
    if (owner !== undefined && owner !== entry.peerId) {
      needs.log.warn('two peers share a client id: the later one stays out of the document', {
        peerId: entry.peerId,
        other: owner,
      })
      return false
    }
    document.owners.set(entry.clientId, entry.peerId)
    return true
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    waitingCount = 0
    for (const [epoch, document] of documents) {
      if (document.waiting.size === 0) continue
      const update = canonicalUpdate(document.waiting.values())
      document.waiting.clear()
      Y.applyUpdate(document.doc, update)
      needs.onUpdate(epoch, update)
    }
  }

  return {
    add(entry) {
      if (isClosed) return
      const document = open(entry.epoch)
      if (!mayHold(document, entry)) return
      document.waiting.set(entry.peerId, entry)
      waitingCount += 1
      if (waitingCount >= FLUSH_AT_ENTRIES) flush()
      else timer ??= setTimeout(flush, options.flushAfterMs ?? FLUSH_AFTER_MS)
    },
    flush,
    get: (epoch) => documents.get(epoch)?.doc,
    size: (epoch) => documents.get(epoch)?.owners.size ?? 0,
    rebuild(epoch, entries) {
      documents.get(epoch)?.doc.destroy()
      documents.delete(epoch)
      const document = open(epoch)
      const update = canonicalUpdate(entries.filter((entry) => mayHold(document, entry)))
      Y.applyUpdate(document.doc, update)
      return update
    },
    keepOnly(oldest, newest) {
      for (const [epoch, document] of documents) {
        if (epoch >= oldest && epoch <= newest) continue
        document.doc.destroy()
        documents.delete(epoch)
      }
    },
    close() {
      flush()
      isClosed = true
      for (const { doc } of documents.values()) doc.destroy()
      documents.clear()
    },
  }
}
