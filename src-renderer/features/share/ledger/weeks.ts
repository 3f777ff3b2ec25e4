import type { LedgerRow } from '#shared/contract/sharing/ledger.js'

/** What was served of one model, or to one peer. */
export interface Served {
  /** A model, or a peer id; null for what is no longer told apart. */
  of: string | null
  requests: number
  tokens: number
}

/** Tokens by week, for one part of the bars. */
interface WeekSeries {
  of: string | null
  tokens: readonly number[]
}

const DAY_MS = 86_400_000
const WEEK_DAYS = 7
const FEWEST_WEEKS = 8

/** What a ledger is divided by. */
export type Division = 'model' | 'peer'

/** Totals of each model or peer, the one that got most first. */
export function servedBy(rows: readonly LedgerRow[], division: Division): Served[] {
  const totals = new Map<string | null, Served>()
  for (const row of rows) {
    const of = row[division]
    const total = totals.get(of) ?? { of, requests: 0, tokens: 0 }
    totals.set(of, { of, requests: total.requests + row.requests, tokens: total.tokens + row.tokensOut })
  }
  return [...totals.values()].sort((a, b) => b.tokens - a.tokens || b.requests - a.requests)
}

/**
 * Tokens of the last weeks from the first with any, each beginning on a Monday: for the `most` that got most, and for all others together under
 * null. `todayMs`: Unix milliseconds of a moment of today.
 */
export function tokensByWeek(
  rows: readonly LedgerRow[],
  { division, weeks, most, todayMs }: { division: Division; weeks: number; most: number; todayMs: number },
): { atMs: readonly number[]; series: readonly WeekSeries[] } {
  const first = mondayOf(todayMs) - (weeks - 1) * WEEK_DAYS * DAY_MS
  const named = servedBy(rows, division)
    .map(({ of }) => of)
    .filter((of) => of !== null)
    .slice(0, most)
  const tokens = new Map<string | null, number[]>([...named, null].map((of) => [of, Array<number>(weeks).fill(0)]))
  for (const row of rows) {
    const week = Math.floor((dayMs(row.day) - first) / (WEEK_DAYS * DAY_MS))
    const own = tokens.get(row[division]) ?? tokens.get(null)
    if (own === undefined || week < 0 || week >= weeks) continue
    own[week] = (own[week] ?? 0) + row.tokensOut
  }
  const filled = [...tokens.values()].map((values) => values.findIndex((value) => value > 0)).filter((at) => at >= 0)
  // Fewer weeks make bars as wide as a hand.
  const from = filled.length === 0 ? 0 : Math.max(0, Math.min(...filled, weeks - FEWEST_WEEKS))
  const series = [...tokens].map(([of, values]) => ({ of, tokens: values.slice(from) }))
  return {
    // At noon, so that a day with 23 hours stays the same day where it is shown.
    atMs: Array.from({ length: weeks - from }, (_, week) => localNoon(first + (from + week) * WEEK_DAYS * DAY_MS)),
    series: series.filter(({ of, tokens: values }) => of !== null || values.some((value) => value > 0)),
  }
}

/** A day of the calendar as if this were UTC, so that days and weeks have one length. */
function dayMs(day: string): number {
  return Date.parse(`${day}T00:00:00Z`)
}

function mondayOf(nowMs: number): number {
  const now = new Date(nowMs)
  const today = Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())
  return today - ((new Date(today).getUTCDay() + 6) % WEEK_DAYS) * DAY_MS
}

function localNoon(utcMs: number): number {
  const day = new Date(utcMs)
  return new Date(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), 12).getTime()
}
