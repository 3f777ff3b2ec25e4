import type { PeerRecord, ServiceRecord } from '#shared/records.js'
import type { Service } from '../base/lifecycle.js'
import type { KnownProviders } from './find/provider-finder.js'
import type { PeerStatus } from './status/peer-status.js'
import type { ReadonlyProviderSet } from './view/provider-set.js'

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
  | { type: 'row:removed'; peerId: string; reason: 'withdrawn' | 'expired' | 'banned' | 'over-quota' }

/** What of a service is told to a peer that may use it. */
export type OfferedService = Pick<ServiceRecord, 'name' | 'status' | 'identity_group' | 'model_facts'>

/** Whom the person trusts. */
export interface Trust {
  readonly isTrusted: (peerId: string) => boolean
  /** Calls `listener` when somebody may be trusted anew, or no longer; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** What this node offers to peers it trusts; `subscribe` tells of changes. */
export interface OwnOffersSource {
  current(): readonly OfferedService[]
  subscribe(listener: () => void): () => void
}

/**
 * What trusted peers offer to peers they trust, as they told this node themselves: kept beside the table, in memory, for
 * as long as its lease lasts and the person trusts them. It is told to nobody.
 */
export interface TrustedOffers {
  /** The services of that peer; none where it told nothing that counts now. */
  of(peerId: string): readonly OfferedService[]
  /** Peers that offer `service` under exactly this entry. */
  providers(service: string, entry: string): ReadonlyProviderSet
  /** Calls `listener` with each peer whose offers changed; returns the way to stop. */
  subscribe(listener: (peerId: string) => void): () => void
  /** Has a trusted peer asked what it offers now, as it refused something of it; about once a second at most. */
  ask(peerId: string): void
}

/** The replicated table of who offers what: the Yjs document is its replica, the validated view what it shows. */
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
  providers(service: string, entry: string): ReadonlyProviderSet
  /**
   * As {@link NodeTable.providers}; when the table knows none, or those it knows are away or have failed, and it may not
   * be complete (see `table.reader`), the DHT is asked for up to 10 s. Whoever is found is asked for its row, and only
   * counts with one.
   */
  findProviders(service: string, entry: string, known?: KnownProviders): Promise<ReadonlySet<string>>
  /** All identity-group entries offered for a service, each with its peers. */
  entries(service: string): ReadonlyMap<string, ReadonlySet<string>>
  /** Calls `listener` after each change of the view; returns the way to stop. */
  subscribe(listener: (event: TableEvent) => void): () => void
  /** How busy other peers are, asked of themselves. */
  readonly status: PeerStatus
  /** What trusted peers offer besides what stands in the table. */
  readonly offers: TrustedOffers
  health(): TableHealth
}

/** How the table does, for the person. */
interface TableHealth {
  /** Milliseconds this machine's clock is ahead of most peers' (negative: behind); null while no peer was heard. */
  clockAheadMs: number | null
  /** True when the clock is so wrong that the network refuses this node's row. */
  isClockWrong: boolean
  /** Milliseconds this node asks for when it signs its row. */
  leaseMs: number
  /** True when another machine uses this node's identity. */
  isUsedElsewhere: boolean
  /** True when the table takes no further owners. */
  isFull: boolean
  /** Peers not listened to at the moment, as they sent invalid bytes. */
  bannedPeers: string[]
  /** Whether a lookup that finds nothing asks the DHT: always where the table holds only a part of the network. */
  reader: 'full' | 'dht'
}

export { createNodeTable } from './table.js'
export type { NodeTableOptions } from './table.js'
export type { OwnStatus, OwnStatusSource } from './status/status-responder.js'
export type { PeerStatusEvent } from './status/peer-status.js'
export { createOfferIndex, ProviderSet, type ReadonlyProviderSet } from './view/provider-set.js'
export { epochStart } from './wire/epoch.js'
