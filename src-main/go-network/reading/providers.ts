import type { PeerRecord } from '#shared/records.js'
import { Listeners } from '../../base/listeners.js'
import { createOfferIndex, type ReadonlyProviderSet, type Row, type TableEvent } from '../../node-table/index.js'

/** Providers of the Go network that are taken in at a time. */
export const MAX_PROVIDERS = 256

/** Those of the Go network who said themselves, over a connection that proves who they are, what they offer. */
export class GoProviders {
  readonly #rows = new Map<string, Row>()
  readonly #index = createOfferIndex()
  readonly #listeners = new Listeners<[TableEvent]>()

  get size(): number {
    return this.#rows.size
  }

  has(peerId: string): boolean {
    return this.#rows.has(peerId)
  }

  get(peerId: string): Row | undefined {
    return this.#rows.get(peerId)
  }

  rows(): IterableIterator<Row> {
    return this.#rows.values()
  }

  /** Takes in what a provider says of itself. False where there is no room for another. */
  take(record: PeerRecord): boolean {
    const { id: peerId } = record
    const before = this.#rows.get(peerId)
    if (before === undefined && this.#rows.size >= MAX_PROVIDERS) return false
    if (before !== undefined && offersIn(before.record) === offersIn(record)) return true
    if (before !== undefined) this.#index.remove(peerId, before.record)
    this.#index.add(peerId, record)
    // Nothing renews it, and it has no place among signed rows: it ends when its peer is gone.
    const row: Row = { peerId, record, seq: 0, epoch: 0, expiresAtMs: Number.POSITIVE_INFINITY }
    this.#rows.set(peerId, row)
    this.#listeners.notify({ type: before === undefined ? 'row:added' : 'row:changed', row })
    return true
  }

  /** Forgets one that is gone. */
  drop(peerId: string): void {
    const before = this.#rows.get(peerId)
    if (before === undefined) return
    this.#rows.delete(peerId)
    this.#index.remove(peerId, before.record)
    this.#listeners.notify({ type: 'row:removed', peerId, reason: 'withdrawn' })
  }

  providers(service: string, entry: string): ReadonlyProviderSet {
    return this.#index.providers(service, entry)
  }

  entries(service: string): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#index.entries(service)
  }

  /** Calls `listener` after each change; returns the way to stop. */
  subscribe(listener: (event: TableEvent) => void): () => void {
    return this.#listeners.add(listener)
  }
}

const offersIn = ({ service, version }: PeerRecord): string =>
  JSON.stringify([version, service.map(({ name, identity_group: entries }) => [name, entries])])
