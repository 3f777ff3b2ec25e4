import type { PeerRecord } from '#shared/records.js'
import type { Service } from '../lifecycle.js'

/** A verified row: the last valid record its owner signed. */
export interface Row {
  peerId: string
  record: PeerRecord
  /** Sequence number: milliseconds since the start of its epoch. */
  seq: number
  /** UTC day number since 1970-01-01. */
  epoch: number
  /** Unix milliseconds after which the row no longer counts, unless its owner renews it. */
  expiresAtMs: number
}

/** What changed in the validated view. */
export type TableEvent =
  | { type: 'row:added' | 'row:changed'; row: Row }
  | { type: 'row:removed'; peerId: string; reason: 'withdrawn' | 'expired' | 'banned' }

/** The replicated table of who offers what: the validated view is the authority, the Yjs document its carrier. */
export interface NodeTable extends Service {
  /** Signs and publishes this node's own record; it is renewed until {@link NodeTable.withdraw}. */
  publish(record: PeerRecord): Promise<void>
  /** Tells the network that this node offers nothing any more. */
  withdraw(): Promise<void>
  get(peerId: string): Row | undefined
  /** Every live row, this node's own included. */
  rows(): IterableIterator<Row>
  readonly size: number
  /**
   * Peers that offer `service` under exactly this identity-group entry (`model=gpt2`, `model=*`, `all`);
   * kept up to date with every row, so a lookup costs no scan.
   */
  providers(service: string, entry: string): ReadonlySet<string>
  /** All identity-group entries offered for a service, each with its peers. */
  entries(service: string): ReadonlyMap<string, ReadonlySet<string>>
  /** Calls `listener` after each change of the view; returns the way to stop. */
  subscribe(listener: (event: TableEvent) => void): () => void
}

export { createNodeTable } from './table.js'
export type { NodeTableOptions } from './table.js'
