import type { PeerRecord } from '#shared/records.js'
import type { Bucket } from '../../base/token-bucket.js'
import type { Row } from '../index.js'
import type { LogicalTime } from '../wire/epoch.js'

/**
 * Where an envelope came from: only what strangers push by gossip is limited per owner. `asked`: from its owner, because
 * this node wants to use it, which it may even where the table is full.
 */
export type Source = 'gossip' | 'sync' | 'asked' | 'disk' | 'self'

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
export interface Entry extends Omit<VerifiedRow, 'source'> {
  /** Set while the row counts. */
  row: Row | undefined
}
