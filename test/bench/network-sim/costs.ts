/**
 * Bytes of messages as real nodes send them. Measured by message-sizes.ts on this machine (wire bytes: with what
 * multiplexing, encryption and protocol negotiation add), or encoded by the libraries themselves.
 */
export const COSTS = {
  /** A row with four models, a GPU and facts: what leases are reckoned with (`RENEWAL_COST_BYTES` has 1,100). */
  rowBytes: 1_100,
  /** A row with fifteen models and nothing else, as real nodes send it in `--only=table`. */
  benchRowBytes: 760,
  /** A row that offers nothing. */
  emptyRowBytes: 420,
  withdrawalBytes: 150,
  /** Framing of one gossip message: RPC, yamux and noise. */
  gossipFrameBytes: 60,
  /** An IDONTWANT to one peer. */
  gossipControlBytes: 60,
  /** A message's id in what a heartbeat offers. */
  ihaveBytes: 30,
  /** A new connection until it is at rest, of each side: handshakes, identify twice, subscriptions. */
  connectBytes: 3_800,
  /** A reservation at a relay, of each side, on an open connection: the question, and the answer with its addresses. */
  reservationBytes: 700,
  /** An idle connection, of each side: pings and keep-alives, a second. */
  keepAliveBytesPerS: 2.5,
  /** Comparing equal tables, of each side, on an open connection. */
  equalSyncBytes: 280,
  /** A client id and a clock in a state vector. */
  stateBytesPerRow: 11,
  /** A row in a sync. */
  syncRowBytes: 1_190,
  /** A DHT question on a stream of its own: 42 bytes, negotiation and frames. */
  kadQueryBytes: 260,
  /** An answer with twenty peers of five addresses: 2,522 bytes encoded. */
  kadAnswerBytes: 2_760,
  /** Each provider in an answer. */
  kadProviderBytes: 124,
  kadAddProviderBytes: 420,
  /** A status with its row asked, and answered, without the connection. */
  statusAskBytes: 300,
  statusAnswerBytes: 650,
} as const
