import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { Bucket, BucketRate } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'

/** What a peer may cost this node: how much it sends, and how often that is invalid. */
export interface SenderLimits {
  /** Takes `cost` tokens (an envelope is one) if the peer is neither banned nor out of tokens. */
  admit(peerId: string, cost: number): boolean
  /** Takes more tokens for envelopes that were sent beyond a budget: ten for each in all. */
  overQuota(peerId: string, envelopes: number): void
  /** Counts invalid bytes from a peer; too many and it is not listened to for ten minutes. */
  reportInvalid(peerId: string): void
  isBanned(peerId: string): boolean
  /** Peers not listened to now. */
  banned(): string[]
}

/** A first sync may bring the whole table at once; after it, ten changes a second a sender is far above any need. */
const ENVELOPES: BucketRate = { capacity: 50_000, refillPerS: 100 }
/** What an envelope beyond a budget costs: it was work, and nothing of it stays. */
const OVER_QUOTA_COST = 10
/** Invalid messages that are forgiven, and how fast they are forgotten. */
const INVALID: BucketRate = { capacity: 10, refillPerS: 1 / 60 }
const MAX_SENDERS = 4096
/** How long a peer that sends invalid bytes is not listened to. */
const SENDER_BAN_MS = 10 * 60 * 1000

/** Limits per sender; the sender not heard of for longest is forgotten first. */
export function createSenderLimits(needs: { monotonic: MonotonicClock; log: Log }): SenderLimits {
  const { monotonic, log } = needs
  const bans = createBanList({ monotonic })
  const senders = new BoundedMap<string, { envelopes: Bucket; forgiven: Bucket }>(MAX_SENDERS)

  function take(peerId: string, kind: 'envelopes' | 'forgiven', rate: BucketRate, cost: number): boolean {
    const now = monotonic.elapsedMs()
    const state = senders.get(peerId) ?? {
      envelopes: fullBucket(ENVELOPES, now),
      forgiven: fullBucket(INVALID, now),
    }
    senders.set(peerId, state)
    const level = refilled(state[kind], rate, now)
    const isEnough = level.tokens >= cost
    state[kind] = isEnough ? { ...level, tokens: level.tokens - cost } : level
    return isEnough
  }

  return {
    admit(peerId, cost) {
      return !bans.isBanned(peerId) && take(peerId, 'envelopes', ENVELOPES, cost)
    },
    reportInvalid(peerId) {
      if (bans.isBanned(peerId) || take(peerId, 'forgiven', INVALID, 1)) return
      bans.ban(peerId, SENDER_BAN_MS)
      log.warn('a peer keeps sending invalid rows and is not listened to for a while', { peerId, banMs: SENDER_BAN_MS })
    },
    overQuota(peerId, envelopes) {
      if (envelopes > 0) take(peerId, 'envelopes', ENVELOPES, (OVER_QUOTA_COST - 1) * envelopes)
    },
    isBanned: (peerId) => bans.isBanned(peerId),
    banned: () => bans.banned(),
  }
}

/** Peers that are left out for a while. */
export interface BanList {
  ban(peerId: string, durationMs: number): void
  isBanned(peerId: string): boolean
  /** Everybody left out now. */
  banned(): string[]
}

/** A {@link BanList} of at most `capacity` peers; the oldest ban makes room for a new one. */
export function createBanList({ monotonic }: { monotonic: MonotonicClock }, capacity = 2000): BanList {
  const untilMs = new BoundedMap<string, number>(capacity)

  function isBanned(peerId: string): boolean {
    const until = untilMs.peek(peerId)
    if (until === undefined) return false
    if (until > monotonic.elapsedMs()) return true
    untilMs.delete(peerId)
    return false
  }

  return {
    ban: (peerId, durationMs) => untilMs.set(peerId, monotonic.elapsedMs() + durationMs),
    isBanned,
    banned: () => [...untilMs].map(([peerId]) => peerId).filter(isBanned),
  }
}
