import type { Clock, MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { Row, TableEvent } from '../index.js'
import { MAX_ROWS } from '../wire/canonical-update.js'
import { createTableDigest } from '../wire/envelope.js'
import { compareLogicalTimes, isEpochOver, timeOf } from '../wire/epoch.js'
import { createAddressQuota } from './address-quota.js'
import type { AddressQuota } from './address-quota.js'
import { BroughtRows, FROM_DISK, type RowBudget } from './brought-rows.js'
import { EndedEntries } from './ended-entries.js'
import type { Entry, Source, VerifiedRow } from './entry.js'
import { createOfferIndex } from './provider-set.js'
import type { OfferIndex } from './provider-set.js'

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
   * Charges a verified row of an owner that was never met to the peer that brought it, `''` where none did. False where
   * that one has brought too much: the row must not come in.
   */
  charge(row: VerifiedRow, bringer: string): boolean
  /** Whether {@link TableView.charge} would be true now; for a row whose signature is yet to be checked. */
  mayCharge(row: VerifiedRow, bringer: string): boolean
  readonly brought: Pick<BroughtRows, 'bringerOf' | 'unreachable'>
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

/** How a view is bounded. */
export interface TableViewOptions {
  selfId: string
  maxRows?: number
  maxRowsPerAddress?: number
  /** Of the rows of owners that were never met. */
  budgets?: { perBringer?: RowBudget; inAll?: RowBudget }
}

/** An empty view. `selfId` is never evicted: this node must always see its own row. */
export function createTableView(
  needs: { clock: Clock; monotonic: MonotonicClock; log: Log },
  options: TableViewOptions,
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
  /** Rows of owners that were never connected to this node: they may be no one at all. */
  readonly brought: BroughtRows
  readonly #digest = createTableDigest()
  readonly #quota: AddressQuota
  readonly #listeners = new Set<(event: TableEvent) => void>()
  readonly #acceptListeners: ((entry: Entry, source: Source) => void)[] = []

  constructor(needs: { clock: Clock; monotonic: MonotonicClock; log: Log }, options: TableViewOptions) {
    this.#clock = needs.clock
    this.#monotonic = needs.monotonic
    this.#log = needs.log
    this.#selfId = options.selfId
    this.#maxRows = options.maxRows ?? MAX_ROWS
    this.#ended = new EndedEntries(this.#maxRows)
    this.#quota = createAddressQuota((peerId) => this.#unmet(this.#entries.get(peerId)), options.maxRowsPerAddress)
    this.brought = new BroughtRows((peerId) => this.remove(peerId, 'over-quota'), options.budgets)
  }

  observed(row: VerifiedRow): void {
    const { peerId } = row
    const before = this.#entries.get(peerId)
    if (before === undefined && !this.#quota.mayHold(peerId)) this.brought.release(peerId)
    else if (before === undefined || compareLogicalTimes(row, before) > 0) this.#show(row, before)
  }

  #show(row: VerifiedRow, before: Entry | undefined): void {
    const { peerId, source } = row
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
    else this.brought.release(peerId)
  }

  hasRoomFor(peerId: string, source: Source, waiting: ReadonlySet<string>): boolean {
    if (peerId === this.#selfId || source === 'asked' || this.#entries.has(peerId)) return true
    const free = this.#maxRows - this.#entries.size + this.#ended.evictable - waiting.size
    if (free > 0 || !this.#quota.isVerified(peerId)) return free > 0
    const waitingUnverified = [...waiting].filter((owner) => !this.#quota.isVerified(owner)).length
    return free + this.brought.size + waitingUnverified > 0
  }

  mayHold(peerId: string): boolean {
    return this.#quota.mayHold(peerId)
  }

  charge(row: VerifiedRow, bringer: string): boolean {
    const payer = this.#payerOf(row, bringer)
    return payer === undefined || this.brought.charge(row, payer)
  }

  mayCharge(row: VerifiedRow, bringer: string): boolean {
    const payer = this.#payerOf(row, bringer)
    return payer === undefined || this.brought.mayCharge(row, payer)
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
        this.brought.ended(entry.peerId)
        this.#emit({ type: 'row:removed', peerId: entry.peerId, reason: 'expired' })
      }
    }
    return wereEarly
  }

  verified(peerId: string, multiaddr: string): void {
    const mayHold = this.#quota.verified(peerId, multiaddr)
    this.brought.met(peerId)
    if (!this.#entries.has(peerId)) return
    if (mayHold) this.#quota.add(peerId)
    else if (peerId !== this.#selfId) {
      this.#log.info('an address has more rows than one may have: the last one is left out', { peerId, multiaddr })
      this.remove(peerId, 'over-quota')
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
    if (!this.#quota.isVerified(peerId)) this.#unmet(entry)
    if (!isLive) this.brought.ended(peerId)
    this.#quota.add(peerId)
    this.#digest.toggle(bytes)
    return entry
  }

  /** Who is charged; undefined where nobody is. */
  #payerOf({ peerId, source }: VerifiedRow, bringer: string): string | undefined {
    if (source === 'self' || source === 'asked' || this.#quota.isVerified(peerId)) return undefined
    return source === 'disk' ? FROM_DISK : this.#quota.sourceOf(bringer)
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
    this.#quota.remove(entry.peerId)
    this.#digest.toggle(entry.bytes)
  }

  #remove(entry: Entry, reason: 'expired' | 'banned' | 'over-quota'): void {
    const wasLive = this.#kill(entry)
    this.#forget(entry)
    this.brought.release(entry.peerId)
    if (wasLive) this.#emit({ type: 'row:removed', peerId: entry.peerId, reason })
  }

  /** The owner was never met, or so many others were since that it counts as such again. */
  #unmet(entry: Entry | undefined): void {
    if (entry === undefined || entry.peerId === this.#selfId) return
    this.brought.take(entry)
    // A withdrawal has its own order of eviction.
    if (entry.record === undefined) this.brought.hidden(entry.peerId)
    else this.brought.shown(entry.peerId)
  }

  /** Evicts an entry where the table is full: an ended one, else one of an owner never met, else the longest unchanged. */
  #makeRoom(): void {
    if (this.#entries.size < this.#maxRows) return
    this.remove(this.#ended.next() ?? this.brought.first() ?? this.#longestUnchanged() ?? '', 'over-quota')
  }

  #longestUnchanged(): string | undefined {
    for (const { peerId, record } of this.#entries.values()) {
      if (record !== undefined && peerId !== this.#selfId) return peerId
    }
    return undefined
  }
}
