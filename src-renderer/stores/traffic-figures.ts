import type { DirectionTotals, HistoryPoint, TrafficEntry } from '#shared/contract/node/traffic.js'

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

/** An answer whose body took less than this share of the whole time came in one piece. */
const ONE_PIECE = 0.1

/**
 * Tokens per second: from the first byte to the end, or over the whole time where the answer came in one piece. Null
 * where that can't be told.
 */
export function tokensPerSecond(entry: Pick<TrafficEntry, 'tokens' | 'ttfbMs' | 'durationMs'>): number | null {
  const { tokens, ttfbMs, durationMs } = entry
  if (tokens === null || ttfbMs === null || durationMs === null || durationMs <= 0) return null
  const streamedMs = durationMs - ttfbMs
  return (tokens * 1000) / (streamedMs < durationMs * ONE_PIECE ? durationMs : streamedMs)
}

/** The lower middle of those that are known; null where none is. */
export function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  return known[Math.floor((known.length - 1) / 2)] ?? null
}

/**
 * Milliseconds to the first byte in the middle of the recent requests: `out` of those a peer answered, `in` of those it
 * was answered here. Null where there was none.
 */
export function firstByteWith(
  entries: readonly TrafficEntry[],
  peerId: string,
): { out: number | null; in: number | null } {
  const own = entries.filter(({ peer, status }) => peer === peerId && status === 200)
  const of = (direction: 'out' | 'in'): number | null =>
    median(own.filter((entry) => entry.direction === direction).map((entry) => entry.ttfbMs))
  return { out: of('out'), in: of('in') }
}
