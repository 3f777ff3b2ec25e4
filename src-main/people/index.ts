/** Says which peers the owner of this node trusts: those in the settings and those that came with an invite, a code or by hand. */
export interface TrustedPeers {
  isTrusted(peerId: string): boolean
  /** Calls `listener` with each peer right after it became trusted or stopped being so; returns the way to stop. */
  onTrustChanged(listener: (peerId: string) => void): () => void
}
