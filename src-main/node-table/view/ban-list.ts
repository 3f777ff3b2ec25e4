import type { Clock } from '../../base/clock.js'

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
