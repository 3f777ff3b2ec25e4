import type { Clock } from '../../../base/clock.js'

/** Requests a minute of each peer. */
export interface PeerRate {
  /** Counts one request; 0 when it may pass, else the seconds to wait. */
  take(peerId: string, perMinute: number): number
}

interface Bucket {
  tokens: number
  atMs: number
}

/** Peers whose rate is remembered; the one that asked longest ago is forgotten, with its bucket long refilled. */
const MAX_PEERS = 4096

/** A bucket per peer that holds one minute's requests and refills evenly. */
export function createPeerRate(needs: { clock: Clock }): PeerRate {
  const buckets = new Map<string, Bucket>()
  return {
    take(peerId, perMinute) {
      if (perMinute === 0) return 0
      const nowMs = needs.clock.now()
      const bucket = buckets.get(peerId) ?? { tokens: perMinute, atMs: nowMs }
      const gained = (Math.max(0, nowMs - bucket.atMs) / 60_000) * perMinute
      bucket.tokens = Math.min(perMinute, bucket.tokens + gained)
      bucket.atMs = nowMs
      buckets.delete(peerId)
      buckets.set(peerId, bucket)
      const [oldest] = buckets.keys()
      if (buckets.size > MAX_PEERS && oldest !== undefined) buckets.delete(oldest)
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1
        return 0
      }
      return Math.max(1, Math.ceil(((1 - bucket.tokens) / perMinute) * 60))
    },
  }
}
