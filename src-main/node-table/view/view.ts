import type { PeerRecord } from '#shared/records.js'
import type { Clock, MonotonicClock } from '../../base/clock.js'
import type { Bucket } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import type { Row, TableEvent } from '../index.js'
import type { Source } from '../replicate/verifier.js'
import { MAX_ROWS } from '../wire/canonical-update.js'
import { createTableDigest } from '../wire/envelope.js'
import { compareLogicalTimes, isEpochOver, timeOf } from '../wire/epoch.js'
import type { LogicalTime } from '../wire/epoch.js'
import { createAddressQuota } from './address-quota.js'
import type { AddressQuota } from './address-quota.js'
import { EndedEntries } from './ended-entries.js'
import { createOfferIndex } from './provider-set.js'
import type { OfferIndex } from './provider-set.js'

/** What was verified of an envelope. */
export interface VerifiedRow extends LogicalTime {
  peerId: string
  /** The signed envelope. */
  bytes: Uint8Array
  /** `undefined` in a withdrawal. */
  record: PeerRecord | undefined
  expiresAtMs: number
  /** When its lease is over on the monotonic clock: a step of the machine's clock neither ends nor extends it. */
  endsAtMs: number
  /** Changes its owner may still push by gossip. */
  changes: Bucket
  source: Source
}

/** The last valid envelope of an owner. It stays, live or not, until its epoch is over: so nothing older comes back. */
export interface Entry extends LogicalTime {
  peerId: string
  /** The signed envelope; the bytes are those in the document. */
  bytes: Uint8Array
  /** `undefined` in a withdrawal. */
  record: PeerRecord | undefined
  expiresAtMs: number
  /** As in {@link VerifiedRow}. */
  endsAtMs: number
  /** Set while the row counts. */
  row: Row | undefined
  /** Changes its owner may still push by gossip. */
  changes: Bucket
}

/**
 * The validated view: the authority on who offers what. It shows the verified rows that were observed in the documents,
 * less those that ended, were removed, or found no room.
 */
export interface TableView {
  /** A verified row stands in its document; `bytes` are those of the document. */
  observed(row: VerifiedRow): void
  /** Removes an owner's row, whatever the documents hold. */
  remove(peerId: string, reason: 'banned' | 'over-quota'): void
  /** May a row of an owner without one come in? Those of the owners `waiting` are about to. */
  hasRoomFor(peerId: string, source: Source, waiting: ReadonlySet<string>): boolean
  /** False for an owner whose address has its share of rows. */
  mayHold(peerId: string): boolean
  /**
   * Removes rows whose lease is over, entries whose epoch is, and those later than `latestMs`, which a clock that was
   * wrong has left. Returns whether there were any of the last kind.
   */
  sweep(latestMs?: number): boolean
  /** A peer is connected at this multiaddr: its row counts against the address, and goes if that has enough. */
  verified(peerId: string, multiaddr: string): void
  /** True when a stranger's row is not taken in any more. */
  readonly isFull: boolean
  entry(peerId: string): Entry | undefined
  /** Every entry, dead ones included. */
  all(): IterableIterator<Entry>
  readonly entryCount: number
  get(peerId: string): Row | undefined
  rows(): IterableIterator<Row>
  /** Live rows. */
  readonly size: number
  readonly offers: Pick<OfferIndex, 'providers' | 'entries'>
  /** {@link createTableDigest} over all entries. */
  digest(): Uint8Array
  subscribe(listener: (event: TableEvent) => void): () => void
  /** Calls `listener` with each entry that came in. */
  onAccepted(listener: (entry: Entry, source: Source) => void): void
}

/** An empty view. `selfId` is never evicted: this node must always see its own row. */
export function createTableView(
  needs: { clock: Clock; monotonic: MonotonicClock; log: Log },
  options: { selfId: string; maxRows?: number; maxRowsPerAddress?: number },
): TableView {
  return new View(needs, options)
}

class View implements TableView {
  readonly offers: OfferIndex = createOfferIndex()
  readonly #clock: Clock
  readonly #monotonic: MonotonicClock
  readonly #log: Log
  readonly #selfId: string
  readonly #maxRows: number
  readonly #entries = new Map<string, Entry>()
  readonly #ended: EndedEntries
  /** Owners of entries that were never connected to this node, the longest unchanged first: they may be no one at all. */
  readonly #unverified = new Set<string>()
  readonly #digest = createTableDigest()
  readonly #quota: AddressQuota
  readonly #listeners = new Set<(event: TableEvent) => void>()
  readonly #acceptListeners: ((entry: Entry, source: Source) => void)[] = []

  constructor(
    needs: { clock: Clock; monotonic: MonotonicClock; log: Log },
    options: { selfId: string; maxRows?: number; maxRowsPerAddress?: number },
  ) {
    this.#clock = needs.clock
    this.#monotonic = needs.monotonic
    this.#log = needs.log
    this.#selfId = options.selfId
    this.#maxRows = options.maxRows ?? MAX_ROWS
    this.#ended = new EndedEntries(this.#maxRows)
    this.#quota = createAddressQuota((peerId) => this.#sortIn(peerId), options.maxRowsPerAddress)
  }

  observed(row: VerifiedRow): void {
    const { peerId, source } = row
    const before = this.#entries.get(peerId)
    if (before === undefined ? !this.#quota.mayHold(peerId) : compareLogicalTimes(row, before) <= 0) return
    const wasLive = before !== undefined && this.#kill(before)
    if (before === undefined) this.#makeRoom()
    else this.#forget(before)
    const entry = this.#enter(row)
    if (entry.row !== undefined) this.#emit({ type: wasLive ? 'row:changed' : 'row:added', row: entry.row })
    else if (wasLive) {
      this.#emit({ type: 'row:removed', peerId, reason: entry.record === undefined ? 'withdrawn' : 'expired' })
    }
    for (const listener of this.#acceptListeners) listener(entry, source)
  }

  remove(peerId: string, reason: 'banned' | 'over-quota'): void {
    const entry = this.#entries.get(peerId)
    if (entry !== undefined) this.#remove(entry, reason)
  }

  hasRoomFor(peerId: string, source: Source, waiting: ReadonlySet<string>): boolean {
    if (peerId === this.#selfId || source === 'asked' || this.#entries.has(peerId)) return true
    const free = this.#maxRows - this.#entries.size + this.#ended.evictable - waiting.size
    if (free > 0 || !this.#quota.isVerified(peerId)) return free > 0
    const waitingUnverified = [...waiting].filter((owner) => !this.#quota.isVerified(owner)).length
    return free + this.#unverified.size + waitingUnverified > 0
  }

  mayHold(peerId: string): boolean {
    return this.#quota.mayHold(peerId)
  }

  sweep(latestMs = Infinity): boolean {
    const [now, elapsedMs] = [this.#clock.now(), this.#monotonic.elapsedMs()]
    let wereEarly = false
    this.#ended.sweep(now)
    for (const entry of this.#entries.values()) {
      if (timeOf(entry) > latestMs) {
        this.#remove(entry, 'expired')
        wereEarly = true
      } else if (isEpochOver(entry.epoch, now)) this.#remove(entry, 'expired')
      else if (entry.endsAtMs <= elapsedMs && this.#kill(entry)) {
        this.#emit({ type: 'row:removed', peerId: entry.peerId, reason: 'expired' })
      }
    }
    return wereEarly
  }

  verified(peerId: string, multiaddr: string): void {
    const mayHold = this.#quota.verified(peerId, multiaddr)
    this.#unverified.delete(peerId)
    const entry = this.#entries.get(peerId)
    if (entry === undefined) return
    if (mayHold) this.#quota.add(peerId)
    else if (peerId !== this.#selfId) {
      this.#log.info('an address has more rows than one may have: the last one is left out', { peerId, multiaddr })
      this.#remove(entry, 'over-quota')
    }
  }

  get isFull(): boolean {
    return this.#entries.size >= this.#maxRows && this.#ended.evictable === 0
  }

  entry(peerId: string): Entry | undefined {
    return this.#entries.get(peerId)
  }

  all(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  get entryCount(): number {
    return this.#entries.size
  }

  get(peerId: string): Row | undefined {
    return this.#entries.get(peerId)?.row
  }

  *rows(): IterableIterator<Row> {
    for (const { row } of this.#entries.values()) if (row !== undefined) yield row
  }

  get size(): number {
    return this.#entries.size - this.#ended.size
  }

  digest(): Uint8Array {
    return this.#digest.bytes()
  }

  subscribe(listener: (event: TableEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onAccepted(listener: (entry: Entry, source: Source) => void): void {
    this.#acceptListeners.push(listener)
  }

  #emit(event: TableEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#log.error('a listener of the node table failed', { error })
      }
    }
  }

  #enter(row: VerifiedRow): Entry {
    const { peerId, epoch, seq, bytes, record, expiresAtMs, endsAtMs, changes } = row
    const isLive = record !== undefined && endsAtMs > this.#monotonic.elapsedMs()
    const entry: Entry = {
      ...{ peerId, epoch, seq, bytes, record, expiresAtMs, endsAtMs, changes },
      row: isLive ? { peerId, record, seq, epoch, expiresAtMs } : undefined,
    }
    if (isLive) this.offers.add(peerId, record)
    else this.#ended.add(entry)
    this.#entries.set(peerId, entry)
    this.#sortIn(peerId)
    this.#quota.add(peerId)
    this.#digest.toggle(bytes)
    return entry
  }

  /** Ends an entry's life as a row. Returns whether it was one. */
  #kill(entry: Entry): boolean {
    if (entry.row === undefined) return false
    this.offers.remove(entry.peerId, entry.row.record)
    entry.row = undefined
    this.#ended.add(entry)
    return true
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.peerId)
    this.#ended.delete(entry.peerId)
    this.#unverified.delete(entry.peerId)
    this.#quota.remove(entry.peerId)
    this.#digest.toggle(entry.bytes)
  }

  #remove(entry: Entry, reason: 'expired' | 'banned' | 'over-quota'): void {
    const wasLive = this.#kill(entry)
    this.#forget(entry)
    if (wasLive) this.#emit({ type: 'row:removed', peerId: entry.peerId, reason })
  }

  /** Puts an owner last among those to be evicted, where it is one. */
  #sortIn(peerId: string): void {
    this.#unverified.delete(peerId)
    // A withdrawal has its own order.
    const isRow = this.#entries.get(peerId)?.record !== undefined
    if (isRow && peerId !== this.#selfId && !this.#quota.isVerified(peerId)) this.#unverified.add(peerId)
  }

  /** Evicts an entry where the table is full: an ended one, else one of an owner never met, else the longest unchanged. */
  #makeRoom(): void {
    if (this.#entries.size < this.#maxRows) return
    const next = this.#ended.next() ?? first(this.#unverified) ?? this.#longestUnchanged() ?? ''
    this.remove(next, 'over-quota')
  }

  #longestUnchanged(): string | undefined {
    for (const { peerId, record } of this.#entries.values()) {
      if (record !== undefined && peerId !== this.#selfId) return peerId
    }
    return undefined
  }
}

function first(set: ReadonlySet<string>): string | undefined {
  for (const member of set) return member
  return undefined
}
