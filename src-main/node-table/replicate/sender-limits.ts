import type { Clock } from '../../base/clock.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { Bucket, BucketRate } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'

/** What a peer may cost this node: how much it sends, and how often that is invalid. */
export interface SenderLimits {
  /** Takes `cost` tokens (an envelope is one) if the peer is neither banned nor out of tokens. */
  admit(peerId: string, cost: number): boolean
  /** Counts invalid bytes from a peer; too many and it is not listened to for ten minutes. */
  reportInvalid(peerId: string): void
  isBanned(peerId: string): boolean
  /** Peers not listened to now. */
  banned(): string[]
}

/** A first sync may bring the whole table at once; after it, ten changes a second a sender is far above any need. */
const ENVELOPES: BucketRate = { capacity: 50_000, refillPerS: 100 }
/** Invalid messages that are forgiven, and how fast they are forgotten. */
const INVALID: BucketRate = { capacity: 10, refillPerS: 1 / 60 }
const MAX_SENDERS = 4096
/** How long a peer that sends invalid bytes is not listened to. */
const SENDER_BAN_MS = 10 * 60 * 1000

/** Limits per sender; the sender not heard of for longest is forgotten first. */
export function createSenderLimits(needs: { clock: Clock; log: Log }): SenderLimits {
  const { clock, log } = needs
  const bans = createBanList({ clock })
  const senders = new Map<string, { envelopes: Bucket; forgiven: Bucket }>()

  function take(peerId: string, kind: 'envelopes' | 'forgiven', rate: BucketRate, cost: number): boolean {
    const now = clock.now()
    const state = senders.get(peerId) ?? {
      envelopes: fullBucket(ENVELOPES, now),
      forgiven: fullBucket(INVALID, now),
    }
    senders.delete(peerId)
    senders.set(peerId, state)
    if (senders.size > MAX_SENDERS) {
      for (const oldest of senders.keys()) {
        senders.delete(oldest)
        break
      }
    }
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
export function createBanList(needs: { clock: Clock }, capacity = 2000): BanList {
  const untilMs = new Map<string, number>()

  function isBanned(peerId: string): boolean {
    const until = untilMs.get(peerId)
    if (until === undefined) return false
    if (until > needs.clock.now()) return true
    untilMs.delete(peerId)
    return false
  }

  return {
    ban(peerId, durationMs) {
      untilMs.delete(peerId)
      if (untilMs.size >= capacity) {
        for (const oldest of untilMs.keys()) {
          untilMs.delete(oldest)
          break
        }
      }
      untilMs.set(peerId, needs.clock.now() + durationMs)
    },
    isBanned,
    banned: () => [...untilMs.keys()].filter(isBanned),
  }
}
