export { TABLE_TOPIC } from '../p2p/host/gossip-scores.js'

/** The stream protocol by which two peers compare their tables. */
export const SYNC_PROTOCOL = '/ocf/table-sync/1.0.0'

/** The stream protocol by which a peer is asked how it is doing. */
export const STATUS_PROTOCOL = '/ocf/status/1.0.0'

/** Bytes of one signed envelope, at most. */
export const MAX_ENVELOPE_BYTES = 4096

/** Bytes of one gossip message, at most. */
export const MAX_GOSSIP_BYTES = 8192

/** Bytes of one chunk of entries in a sync, at most; a sender keeps below {@link SYNC_CHUNK_TARGET_BYTES}. */
export const MAX_SYNC_CHUNK_BYTES = 1024 * 1024

/** What a sender fills a sync chunk to: below the receive buffers of every transport, so none needs back-pressure. */
export const SYNC_CHUNK_TARGET_BYTES = 256 * 1024

/** Rows a table holds, at most; a full replica is the wrong tool above about 10,000 peers. */
export const MAX_ROWS = 20_000

/** Live rows from which on a lookup that finds nothing also asks the DHT. */
export const FULL_REPLICA_ROWS = 10_000

/** How far ahead of our clock a row's time may be: clocks on the open network differ by seconds. */
export const MAX_CLOCK_SKEW_MS = 60_000

/** The longest lease a row may ask for. Half an epoch: a renewal always falls into the current or the next epoch. */
export const MAX_LEASE_MS = 12 * 60 * 60 * 1000

/** How long the owner of two different envelopes with one sequence number is left out. */
export const OWNER_BAN_MS = 10 * 60 * 1000

/** How long a peer that sends invalid bytes is not listened to. */
export const SENDER_BAN_MS = 10 * 60 * 1000
