import type { DirectionTotals, HistoryPoint, TrafficEntry } from '#shared/contract/traffic.js'
import { createPercentileSketch, type PercentileSketch } from './percentile-sketch.js'

/** The requests that ended in one span of time. */
export interface Rollup {
  /** Unix milliseconds. */
  startMs: number
  out: DirectionTotals
  in: DirectionTotals
  local: DirectionTotals
  /** Failed requests by code. */
  errors: Map<string, number>
  ttfb: PercentileSketch
  duration: PercentileSketch
}

/** Ways a request goes, as the roll-ups keep them apart. */
const DIRECTIONS = ['out', 'in', 'local'] as const

/** Codes kept apart; what comes after them is `other`. The vocabulary has fewer, statuses of servers are many. */
const MAX_CODES = 32

/** How a request ended, for everything that counts. */
export function outcomeOf(entry: Readonly<TrafficEntry>): 'ok' | 'failed' | 'cancelled' {
  if (entry.cancelledBy === 'client') return 'cancelled'
  return errorCodeOf(entry) === undefined ? 'ok' : 'failed'
}

/** The code it failed under: its own, or `http_<status>` of a server's answer; undefined when it did not fail. */
export function errorCodeOf(entry: Readonly<TrafficEntry>): string | undefined {
  if (entry.error !== null) return entry.error
  if (entry.cancelledBy === 'provider' || entry.cancelledBy === 'node') return 'upstream_failed'
  return entry.status !== null && entry.status >= 400 ? `http_${entry.status}` : undefined
}

export function emptyRollup(startMs: number): Rollup {
  return {
    startMs,
    out: emptyTotals(),
    in: emptyTotals(),
    local: emptyTotals(),
    errors: new Map(),
    ttfb: createPercentileSketch(),
    duration: createPercentileSketch(),
  }
}

function emptyTotals(): DirectionTotals {
  return { ok: 0, failed: 0, cancelled: 0, tokensIn: 0, tokensOut: 0, bytesIn: 0, bytesOut: 0 }
}

/** Adds a request that ended. */
export function addEntry(rollup: Rollup, entry: Readonly<TrafficEntry>): void {
  const totals = rollup[entry.direction]
  const outcome = outcomeOf(entry)
  totals[outcome] += 1
  totals.tokensIn += entry.tokensIn ?? 0
  totals.tokensOut += entry.tokens ?? 0
  totals.bytesIn += entry.bytesIn
  totals.bytesOut += entry.bytesOut
  if (outcome === 'failed') countError(rollup.errors, errorCodeOf(entry) ?? 'internal', 1)
  if (entry.ttfbMs !== null) rollup.ttfb.add(entry.ttfbMs)
  if (entry.durationMs !== null && outcome === 'ok') rollup.duration.add(entry.durationMs)
}

/** Adds what is in `from` to `into`. */
export function mergeRollup(into: Rollup, from: Rollup): void {
  for (const direction of DIRECTIONS) {
    const totals = into[direction]
    const more = from[direction]
    for (const key of Object.keys(totals) as (keyof DirectionTotals)[]) totals[key] += more[key]
  }
  for (const [code, count] of from.errors) countError(into.errors, code, count)
  into.ttfb.merge(from.ttfb)
  into.duration.merge(from.duration)
}

/** As a history shows it. */
export function pointOf(rollup: Rollup): HistoryPoint {
  return {
    atMs: rollup.startMs,
    out: rollup.out,
    in: rollup.in,
    local: rollup.local,
    ttfbMs: rollup.ttfb.percentiles(),
    durationMs: rollup.duration.percentiles(),
  }
}

function countError(errors: Map<string, number>, code: string, count: number): void {
  const key = errors.has(code) || errors.size < MAX_CODES ? code : 'other'
  errors.set(key, (errors.get(key) ?? 0) + count)
}
