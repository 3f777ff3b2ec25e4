import { Doc } from 'yjs'
import type { Log } from '../../logging/index.js'
import { drawn } from '../budget/drawn.js'
import type { Entry, VerifiedRow } from '../view/entry.js'
import type { TableView } from '../view/view.js'
import { canonicalUpdate, clientIdOf, MAX_ROWS } from '../wire/canonical-update.js'
import type { CanonicalEntry } from '../wire/canonical-update.js'
import type { LogicalTime } from '../wire/epoch.js'
import { SYNC_CHUNK_TARGET_BYTES } from '../wire/sync-frames.js'
import { EpochDocument } from './epoch-document.js'
import type { HeldRow } from './epoch-document.js'
import { EquivocationProofs } from './proofs.js'
import type { EquivocationProof } from './proofs.js'

/**
 * The replicas of the table: one Yjs document per epoch, written only by this node, from rows that it verified. The view
 * shows what was observed in them, and a sync sends what stands in them.
 */
export interface TableDocuments {
  /** Writes verified rows, at most one per owner, and shows the view what was observed; proofs, too. Returns how many there are. */
  write(rows: readonly VerifiedRow[]): number
  /** The latest row of a peer, whether the view shows it or has removed it. */
  find(peerId: string): (LogicalTime & { bytes: Uint8Array }) | undefined
  /** Keeps a proof; it is in syncs from now on, and written with the next rows. Returns false for one not needed. */
  keepProof(proof: EquivocationProof): boolean
  /** Calls `listener` with all that was observed in an epoch's document, as a canonical update. */
  onWritten(listener: (epoch: number, update: Uint8Array) => void): void
  /** The clock of each row that the view has, and of each proof, as a Yjs state vector: client id → next clock. */
  clocks(): Map<number, number>
  /**
   * What a table with these clocks lacks: Yjs updates (v1) of about {@link SYNC_CHUNK_TARGET_BYTES} each. Of more than
   * `maxRows`, so many at random.
   */
  updatesSince(clocks: ReadonlyMap<number, number>, maxRows?: number): Generator<Uint8Array>
  /** The document of an epoch; owned by the table, read only. */
  get(epoch: number): Doc | undefined
  /** Rows of that epoch, those included that the view has removed. */
  size(epoch: number): number
  /** Builds the document of an epoch anew, of what the view has. Returns its update. */
  rebuild(epoch: number): Uint8Array
  /** Drops the documents of all epochs but these, and the proofs that are not needed any more at `nowMs`. */
  keepOnly(oldest: number, newest: number, nowMs: number): void
  close(): void
}

/** What {@link createTableDocuments} works with. */
export interface DocumentsNeeds {
  view: TableView
  log: Log
  /** Makes an empty document. */
  createDoc?: () => Doc
  clientIdOf?: (peerId: string, epoch: number) => number
}

/** No documents yet; they come with the first rows. */
export function createTableDocuments(needs: DocumentsNeeds): TableDocuments {
  return new Documents(needs)
}

/** Rows of one document that the view has. */
interface ShownRows {
  document: EpochDocument
  epoch: number
  rows: HeldRow[]
}

class Documents implements TableDocuments {
  readonly #view: TableView
  readonly #log: Log
  readonly #createDoc: () => Doc
  readonly #clientIdOf: (peerId: string, epoch: number) => number
  /** Of each epoch the document, and further ones for peers whose client id another peer has in it. */
  readonly #epochs = new Map<number, EpochDocument[]>()
  readonly #proofs = new EquivocationProofs()
  readonly #listeners: ((epoch: number, update: Uint8Array) => void)[] = []

  constructor(needs: DocumentsNeeds) {
    this.#view = needs.view
    this.#log = needs.log
    this.#createDoc = needs.createDoc ?? (() => new Doc({ gc: true }))
    this.#clientIdOf = needs.clientIdOf ?? clientIdOf
  }

  write(rows: readonly VerifiedRow[]): number {
    this.#writeProofs()
    let held = 0
    for (const [epoch, group] of Map.groupBy(rows, (row) => row.epoch)) {
      this.#writeEpoch(epoch, new Map(group.map((row) => [row.peerId, row])))
      held += this.size(epoch)
    }
    return held
  }

  find(peerId: string): (LogicalTime & { bytes: Uint8Array }) | undefined {
    for (const [epoch, documents] of [...this.#epochs].sort(([a], [b]) => b - a)) {
      for (const document of documents) {
        const bytes = document.bytesOf(peerId)
        if (bytes !== undefined) return { epoch, seq: document.clockOf(this.#clientIdOf(peerId, epoch)) - 1, bytes }
      }
    }
    return undefined
  }

  keepProof(proof: EquivocationProof): boolean {
    return this.#proofs.keep(proof)
  }

  onWritten(listener: (epoch: number, update: Uint8Array) => void): void {
    this.#listeners.push(listener)
  }

  clocks(): Map<number, number> {
    const { shown, shared } = this.#shown()
    const rows = shown.flatMap((each) => each.rows).filter(({ clientId }) => !shared.has(clientId))
    const clocks = new Map(rows.map(({ clientId, clock }) => [clientId, clock]))
    for (const { clientId, seq } of this.#proofs.entries()) {
      // A state vector has room for so many.
      if (clocks.size < MAX_ROWS) clocks.set(clientId, seq + 1)
    }
    return clocks
  }

  *updatesSince(clocks: ReadonlyMap<number, number>, maxRows = Infinity): Generator<Uint8Array> {
    const { shown, shared } = this.#shown()
    const theirs = (clientId: number): number => (shared.has(clientId) ? 0 : (clocks.get(clientId) ?? 0))
    let left = maxRows
    for (const { document, epoch, rows } of shown) {
      const lacking = drawn(
        rows.filter(({ clientId, clock }) => theirs(clientId) < clock),
        left,
      )
      left -= lacking.length
      for (const chunk of chunksOf(lacking, (row) => document.sizeBytesOf(row))) {
        // Some may have been removed since the chunk before.
        const still = chunk.filter((row) => this.#isShown(epoch, row))
        const clients = still.map(({ clientId }) => ({ clientId, clock: theirs(clientId) }))
        if (clients.length > 0) yield document.updateOf(clients)
      }
    }
    const proofs = [...this.#proofs.entries()].filter(({ clientId, seq }) => theirs(clientId) <= seq)
    for (const chunk of chunksOf(proofs, ({ bytes }) => bytes.byteLength)) yield canonicalUpdate(chunk)
  }

  get(epoch: number): Doc | undefined {
    return this.#epochs.get(epoch)?.[0]?.doc
  }

  size(epoch: number): number {
    return (this.#epochs.get(epoch) ?? []).reduce((sum, document) => sum + document.size, 0)
  }

  rebuild(epoch: number): Uint8Array {
    this.#destroy(epoch)
    const entries = [...this.#view.all()].filter((entry) => entry.epoch === epoch)
    for (const [document, placed] of this.#place(epoch, entries)) {
      const observed = document.write(placed)
      // The view has no copy: it refers to the bytes in the document.
      for (const entry of entries) entry.bytes = observed.get(entry.peerId) ?? entry.bytes
    }
    const proofs = [...this.#proofs.entries()].filter((entry) => entry.epoch === epoch)
    if (proofs.length > 0) this.#main(epoch).write(proofs)
    const main = this.#epochs.get(epoch)?.[0]
    return main?.updateOf([...main.held()].map(({ clientId }) => ({ clientId, clock: 0 }))) ?? canonicalUpdate([])
  }

  keepOnly(oldest: number, newest: number, nowMs: number): void {
    this.#proofs.sweep(nowMs)
    for (const epoch of this.#epochs.keys()) if (epoch < oldest || epoch > newest) this.#destroy(epoch)
  }

  close(): void {
    for (const epoch of this.#epochs.keys()) this.#destroy(epoch)
  }

  #writeProofs(): void {
    for (const [epoch, entries] of this.#proofs.takeUnwritten()) {
      this.#main(epoch).write(entries)
      const update = canonicalUpdate(entries)
      for (const listener of this.#listeners) listener(epoch, update)
    }
  }

  #writeEpoch(epoch: number, verified: ReadonlyMap<string, VerifiedRow>): void {
    for (const [document, placed] of this.#placeAhead(epoch, [...verified.values()])) {
      const fresh = placed.filter((row) => !document.holds(row))
      const observed = document.write(fresh)
      const written = fresh.filter(({ peerId }) => observed.has(peerId))
      if (written.length > 0 && document.doc === this.get(epoch)) {
        const update = canonicalUpdate(written)
        for (const listener of this.#listeners) listener(epoch, update)
      }
      // Not fresh is a row that the view has removed and that comes back as it was: the document has it still.
      const stood = fresh.length === placed.length ? [] : placed.filter((row) => !fresh.includes(row))
      for (const { peerId } of [...written, ...stood]) {
        const row = verified.get(peerId)
        const bytes = observed.get(peerId) ?? document.bytesOf(peerId)
        if (row !== undefined && bytes !== undefined) this.#view.observed({ ...row, bytes })
      }
    }
  }

  /** As {@link Documents.#place}; a document that has passed a row, by one that the view has removed, is built anew. */
  #placeAhead(epoch: number, rows: readonly VerifiedRow[]): [EpochDocument, CanonicalEntry[]][] {
    const placed = this.#place(epoch, rows)
    if (!placed.some(([document, group]) => group.some((row) => document.isPast(row)))) return placed
    this.rebuild(epoch)
    return this.#place(epoch, rows)
  }

  /** Which rows go into which document of an epoch: each into the first in which no other peer has its client id. */
  #place(epoch: number, rows: readonly (VerifiedRow | Entry)[]): [EpochDocument, CanonicalEntry[]][] {
    const documents = this.#epochs.get(epoch) ?? []
    this.#epochs.set(epoch, documents)
    const placed: [EpochDocument, CanonicalEntry[]][] = []
    let left = rows.map(({ peerId, seq, bytes }) => ({
      ...{ peerId, epoch, seq, bytes },
      clientId: this.#clientIdOf(peerId, epoch),
    }))
    for (let index = 0; left.length > 0; index += 1) {
      const document = (documents[index] ??= this.#open(epoch, index, left))
      const owners = new Map<number, string>()
      const { fits = [], rest = [] } = Object.groupBy(left, (row) => {
        const owner = document.ownerOf(row.clientId) ?? owners.get(row.clientId) ?? row.peerId
        owners.set(row.clientId, owner)
        return owner === row.peerId ? 'fits' : 'rest'
      })
      placed.push([document, fits])
      left = rest
    }
    return placed
  }

  /** The document of an epoch that is read back from the disk. */
  #main(epoch: number): EpochDocument {
    const documents = this.#epochs.get(epoch) ?? []
    this.#epochs.set(epoch, documents)
    const main = documents.at(0) ?? this.#open(epoch, 0, [])
    documents[0] = main
    return main
  }

  #open(epoch: number, index: number, rows: readonly CanonicalEntry[]): EpochDocument {
    if (index > 0) {
      const peerIds = rows.map(({ peerId }) => peerId)
      this.#log.warn('two peers share a client id: the later one gets a second document', { epoch, peerIds })
    }
    return new EpochDocument(this.#createDoc())
  }

  #destroy(epoch: number): void {
    for (const { doc } of this.#epochs.get(epoch) ?? []) doc.destroy()
    this.#epochs.delete(epoch)
  }

  /** What of the documents the view has. Client ids of two peers are `shared`: a clock can't tell whose it is. */
  #shown(): { shown: ShownRows[]; shared: ReadonlySet<number> } {
    const shown = [...this.#epochs].flatMap(([epoch, documents]) =>
      documents.map((document) => ({
        ...{ document, epoch },
        rows: [...document.held()].filter((row) => this.#isShown(epoch, row)),
      })),
    )
    const seen = new Set<number>()
    const shared = new Set<number>()
    for (const { rows } of shown) {
      for (const { clientId } of rows) {
        if (seen.has(clientId)) shared.add(clientId)
        seen.add(clientId)
      }
    }
    return { shown, shared }
  }

  #isShown(epoch: number, { peerId, clock }: HeldRow): boolean {
    const entry = this.#view.entry(peerId)
    return entry?.epoch === epoch && entry.seq + 1 === clock
  }
}

function* chunksOf<T>(rows: readonly T[], sizeBytesOf: (row: T) => number): Generator<T[]> {
  let chunk: T[] = []
  let sizeBytes = 0
  for (const row of rows) {
    chunk.push(row)
    sizeBytes += sizeBytesOf(row)
    if (sizeBytes < SYNC_CHUNK_TARGET_BYTES) continue
    yield chunk
    chunk = []
    sizeBytes = 0
  }
  if (chunk.length > 0) yield chunk
}
