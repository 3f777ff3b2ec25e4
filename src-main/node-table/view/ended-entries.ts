import { MAX_LEASE_MS } from '../wire/envelope.js'
import { timeOf } from '../wire/epoch.js'
import type { LogicalTime } from '../wire/epoch.js'

/** Withdrawals that a full table keeps for their time: one for so many rows. */
const ROWS_PER_WITHDRAWAL = 10

/**
 * Entries that are no rows any more, and make room in a full table: expired ones first. A withdrawal is kept for as long
 * as the row it withdraws could still count, as without it a newcomer would take that row from anyone who kept it.
 */
export class EndedEntries {
  readonly #expired = new Set<string>()
  /** Owner → Unix milliseconds until which an older row of it could count. The oldest withdrawal first. */
  readonly #withdrawn = new Map<string, number>()
  readonly #maxWithdrawals: number

  /** `maxRows`: entries that the table holds, rows included. */
  constructor(maxRows: number) {
    this.#maxWithdrawals = Math.floor(maxRows / ROWS_PER_WITHDRAWAL)
  }

  add(entry: LogicalTime & { peerId: string; record: unknown }): void {
    this.delete(entry.peerId)
    if (entry.record !== undefined) this.#expired.add(entry.peerId)
    else this.#withdrawn.set(entry.peerId, timeOf(entry) + MAX_LEASE_MS)
  }

  delete(peerId: string): void {
    this.#expired.delete(peerId)
    this.#withdrawn.delete(peerId)
  }

  get size(): number {
    return this.#expired.size + this.#withdrawn.size
  }

  /** How many of them a full table may give up now. */
  get evictable(): number {
    return this.#expired.size + Math.max(0, this.#withdrawn.size - this.#maxWithdrawals)
  }

  /** The next to be given up. */
  next(): string | undefined {
    for (const peerId of this.#expired) return peerId
    if (this.#withdrawn.size <= this.#maxWithdrawals) return undefined
    for (const peerId of this.#withdrawn.keys()) return peerId
    return undefined
  }

  /** Withdrawals of rows that can't count any more are expired entries. */
  sweep(nowMs: number): void {
    for (const [peerId, untilMs] of this.#withdrawn) {
      if (untilMs > nowMs) continue
      this.#withdrawn.delete(peerId)
      this.#expired.add(peerId)
    }
  }
}
