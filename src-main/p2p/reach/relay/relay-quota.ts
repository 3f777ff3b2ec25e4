import type { MonotonicClock } from '../../../base/clock.js'

/**
 * Bytes a relay carries for others, within an hour. Each is charged to several accounts: where a circuit comes from, and
 * the peer it leads to.
 */
export interface RelayQuota {
  /** True when a new reservation or circuit of these accounts may be taken on. */
  mayRelay(accounts: readonly string[]): boolean
  /** Counts bytes once for the whole and once for each account; false when they exceed the share of one. */
  charge(accounts: readonly string[], bytes: number): boolean
  /** Bytes carried in the current hour. */
  usedBytes(): number
}

/** What a relay gives. */
export interface RelayQuotaOptions {
  /** Bytes an hour of one account. */
  peerBytes: number
  /** Bytes an hour of all together. */
  totalBytes: number
}

const HOUR_MS = 3_600_000

/** Accounts remembered within an hour; beyond them the one that used least is forgotten. */
const MAX_ACCOUNTS = 10_000

/** One account may use so much of what nothing has used yet: alone a fifth of the whole, so that newcomers find some. */
const SHARE_OF_REST = 1 / 4

/**
 * Counts by the hour: simple, bounded, and easy to explain. An account's share shrinks as the whole is used up (the
 * dynamic threshold of shared-memory switches): n busy ones get 1/(n + 4) each, and the next one finds as much.
 */
export function createRelayQuota(needs: { clock: MonotonicClock }, options: RelayQuotaOptions): RelayQuota {
  const { clock } = needs
  const used = new Map<string, number>()
  let hour = -1
  let total = 0

  function turnOver(): void {
    const now = Math.floor(clock.elapsedMs() / HOUR_MS)
    if (now === hour) return
    hour = now
    total = 0
    used.clear()
  }

  const share = (): number => Math.min(options.peerBytes, (options.totalBytes - total) * SHARE_OF_REST)

  function add(account: string, bytes: number): number {
    const sum = (used.get(account) ?? 0) + bytes
    used.set(account, sum)
    if (used.size > MAX_ACCOUNTS) forgetLeast(used, account)
    return sum
  }

  return {
    mayRelay(accounts) {
      turnOver()
      return accounts.every((account) => (used.get(account) ?? 0) < share())
    },
    charge(accounts, bytes) {
      turnOver()
      total += bytes
      const most = share()
      // Each is charged, also when another is over its share.
      return accounts.map((account) => add(account, bytes)).every((sum) => sum <= most)
    },
    usedBytes() {
      turnOver()
      return total
    },
  }
}

function forgetLeast(used: Map<string, number>, newcomer: string): void {
  let least: [string, number] | undefined
  for (const entry of used) if (entry[0] !== newcomer && (least === undefined || entry[1] < least[1])) least = entry
  if (least !== undefined) used.delete(least[0])
}
