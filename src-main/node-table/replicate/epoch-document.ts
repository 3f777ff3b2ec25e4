import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { canonicalUpdate, ROWS_KEY } from '../wire/canonical-update.js'
import type { CanonicalEntry } from '../wire/canonical-update.js'

/** A row as it stands in a document. */
export interface HeldRow {
  peerId: string
  clientId: number
  /** The Yjs clock after the row: its seq + 1. */
  clock: number
}

/** One Yjs document of an epoch. It takes only updates that this node writes, and says what they changed in it. */
export class EpochDocument {
  readonly doc: Y.Doc
  readonly #rows: Y.Map<Uint8Array>
  /** What the transaction under way has changed, by peer id. */
  #observed = new Map<string, Uint8Array>()

  constructor(doc: Y.Doc) {
    this.doc = doc
    this.#rows = doc.getMap(ROWS_KEY)
    this.#rows.observe(({ keysChanged }) => {
      for (const peerId of keysChanged as Set<string>) {
        const bytes = this.#rows.get(peerId)
        if (bytes !== undefined) this.#observed.set(peerId, bytes)
      }
    })
  }

  /** Client ids ever in it, which is what a transaction costs. */
  get size(): number {
    return this.doc.store.clients.size
  }

  /** Whose row has this client id: a second peer's row under it would delete the first. */
  ownerOf(clientId: number): string | undefined {
    return ownerOf(this.doc.store.clients.get(clientId)?.at(-1))
  }

  /** Has it this very row? */
  holds({ peerId, clientId, seq, bytes }: CanonicalEntry): boolean {
    const held = this.bytesOf(peerId)
    return held !== undefined && this.clockOf(clientId) === seq + 1 && Buffer.compare(held, bytes) === 0
  }

  /** True for a row that Yjs would leave out, as the clocks of its client id have passed its own. */
  isPast(row: CanonicalEntry): boolean {
    return this.clockOf(row.clientId) > row.seq && !this.holds(row)
  }

  /** The envelope of a peer. */
  bytesOf(peerId: string): Uint8Array | undefined {
    return this.#rows.get(peerId)
  }

  /** The next clock of a client id: the seq of its row + 1, or 0 without one. */
  clockOf(clientId: number): number {
    return Y.getState(this.doc.store, clientId)
  }

  /** Puts rows in, in one transaction. Returns the envelopes of those that are in, by peer id, as Yjs reports them. */
  write(rows: readonly CanonicalEntry[]): ReadonlyMap<string, Uint8Array> {
    if (rows.length > 0) Y.applyUpdate(this.doc, canonicalUpdate(rows))
    const observed = this.#observed
    this.#observed = new Map()
    return observed
  }

  /** Every row in it. */
  *held(): Generator<HeldRow> {
    for (const [clientId, structs] of this.doc.store.clients) {
      const last = structs.at(-1)
      const peerId = ownerOf(last)
      if (last !== undefined && peerId !== undefined) yield { peerId, clientId, clock: last.id.clock + last.length }
    }
  }

  /** Bytes that a row takes in an update, at most. */
  sizeBytesOf({ peerId }: HeldRow): number {
    return (this.bytesOf(peerId)?.byteLength ?? 0) + peerId.length + 64
  }

  /**
   * The Yjs update (v1) with all that these clients wrote, each from its clock on. A delete set, which Yjs adds for the
   * whole document however small the difference, is not needed: a row deletes the one before it when it is read.
   */
  updateOf(clients: readonly { clientId: number; clock: number }[]): Uint8Array {
    const encoder = new Y.UpdateEncoderV1()
    encoding.writeVarUint(encoder.restEncoder, clients.length)
    for (const { clientId, clock } of clients.toSorted((a, b) => b.clientId - a.clientId)) {
      const structs = (this.doc.store.clients.get(clientId) ?? []).filter(({ id, length }) => id.clock + length > clock)
      const [first] = structs
      const from = Math.max(clock, first?.id.clock ?? 0)
      encoding.writeVarUint(encoder.restEncoder, structs.length)
      encoder.writeClient(clientId)
      encoding.writeVarUint(encoder.restEncoder, from)
      for (const struct of structs) struct.write(encoder, struct === first ? from - struct.id.clock : 0)
    }
    encoding.writeVarUint(encoder.restEncoder, 0)
    return encoder.toUint8Array()
  }
}

function ownerOf(struct: Y.Item | Y.GC | undefined): string | undefined {
  return struct instanceof Y.Item ? (struct.parentSub ?? undefined) : undefined
}
