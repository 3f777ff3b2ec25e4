import type { MonotonicClock } from '../../../base/clock.js'

/** Bytes a relay carries for others, within an hour. */
export interface RelayQuota {
  /** True when a new reservation or circuit of that peer may be taken on. */
  mayRelay(peerId: string): boolean
  /** Counts bytes that came from a peer; false when they exceed its share or the whole. */
  charge(peerId: string, bytes: number): boolean
  /** Bytes carried in the current hour. */
  usedBytes(): number
}

/** What a relay gives. */
export interface RelayQuotaOptions {
  /** Bytes an hour of one peer. */
  peerBytes: number
  /** Bytes an hour of all peers together. */
  totalBytes: number
}

const HOUR_MS = 3_600_000
/** Peers remembered within an hour; a newcomer beyond them waits for the next one. */
const MAX_PEERS = 10_000

/** Counts by the hour: simple, bounded, and easy to explain. */
export function createRelayQuota(needs: { clock: MonotonicClock }, options: RelayQuotaOptions): RelayQuota {
  const { clock } = needs
  const byPeer = new Map<string, number>()
  let hour = -1
  let total = 0

  function turnOver(): void {
    const now = Math.floor(clock.elapsedMs() / HOUR_MS)
    if (now === hour) return
    hour = now
    total = 0
    byPeer.clear()
  }

  return {
    mayRelay(peerId) {
      turnOver()
      const used = byPeer.get(peerId)
      if (used === undefined) return byPeer.size < MAX_PEERS && total < options.totalBytes
      return used < options.peerBytes && total < options.totalBytes
    },
    charge(peerId, bytes) {
      turnOver()
      if (!byPeer.has(peerId) && byPeer.size >= MAX_PEERS) return false
      const used = (byPeer.get(peerId) ?? 0) + bytes
      byPeer.set(peerId, used)
      total += bytes
      return used <= options.peerBytes && total <= options.totalBytes
    },
    usedBytes() {
      turnOver()
      return total
    },
  }
}
