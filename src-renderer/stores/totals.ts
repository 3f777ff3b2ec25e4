import type { DirectionTotals, HistoryPoint } from '#shared/contract/traffic.js'

/** What all the steps of a history come to. */
export interface Totals {
  ok: number
  failed: number
  cancelled: number
  /** Tokens of answers that apps of this computer got from peers. */
  tokensUsed: number
  /** Tokens of answers that peers got from here. */
  tokensGiven: number
}

/** The sum over a history. */
export function totalsOf(points: readonly HistoryPoint[]): Totals {
  const totals: Totals = { ok: 0, failed: 0, cancelled: 0, tokensUsed: 0, tokensGiven: 0 }
  for (const point of points) {
    for (const way of [point.out, point.in, point.local]) {
      totals.ok += way.ok
      totals.failed += way.failed
      totals.cancelled += way.cancelled
    }
    totals.tokensUsed += point.out.tokensOut
    totals.tokensGiven += point.in.tokensOut
  }
  return totals
}

/** Requests that ended one way in one step. */
export function ended({ ok, failed, cancelled }: DirectionTotals): number {
  return ok + failed + cancelled
}
