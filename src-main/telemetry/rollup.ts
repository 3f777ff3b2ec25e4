import { DDSketch } from '@datadog/sketches-js'
import {
  isUnanswered,
  type DirectionTotals,
  type HistoryPoint,
  type Percentiles,
  type TrafficEntry,
} from '#shared/contract/node/traffic.js'

/** The requests that ended in one span of time. */
export interface Rollup {
  /** Unix milliseconds. */
  startMs: number
  out: DirectionTotals
  in: DirectionTotals
  local: DirectionTotals
  /** Of the failed ones of `local`: those that no provider was asked for. */
  unanswered: number
  /** Failed requests by code. */
  errors: Map<string, number>
  ttfb: PercentileSketch
  /** The same of each direction that had any; files of the first versions tell none. */
  ttfbOf: Partial<Record<Direction, PercentileSketch>>
  duration: PercentileSketch
}

/** Ways a request goes, as the roll-ups keep them apart. */
export const DIRECTIONS = ['out', 'in', 'local'] as const
type Direction = (typeof DIRECTIONS)[number]

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
    unanswered: 0,
    errors: new Map(),
    ttfb: createPercentileSketch(),
    ttfbOf: {},
    duration: createPercentileSketch(),
  }
}

function emptyTotals(): DirectionTotals {
  return { ok: 0, failed: 0, cancelled: 0, tokensIn: 0, tokensOut: 0, bytesIn: 0, bytesOut: 0 }
}

/** Adds a request that ended. */
function addEntry(rollup: Rollup, entry: Readonly<TrafficEntry>): void {
  const totals = rollup[entry.direction]
  const outcome = outcomeOf(entry)
  totals[outcome] += 1
  if (isUnanswered(entry)) rollup.unanswered += 1
  totals.tokensIn += entry.tokensIn ?? 0
  totals.tokensOut += entry.tokens ?? 0
  totals.bytesIn += entry.bytesIn
  totals.bytesOut += entry.bytesOut
  if (outcome === 'failed') countError(rollup.errors, errorCodeOf(entry) ?? 'internal', 1)
  if (entry.ttfbMs !== null) {
    rollup.ttfb.add(entry.ttfbMs)
    sketchOf(rollup, entry.direction).add(entry.ttfbMs)
  }
  if (entry.durationMs !== null && outcome === 'ok') rollup.duration.add(entry.durationMs)
}

/** Adds what is in `from` to `into`. */
export function mergeRollup(into: Rollup, from: Rollup): void {
  for (const direction of DIRECTIONS) {
    const totals = into[direction]
    const more = from[direction]
    for (const key of Object.keys(totals) as (keyof DirectionTotals)[]) totals[key] += more[key]
    const sketch = from.ttfbOf[direction]
    if (sketch !== undefined) sketchOf(into, direction).merge(sketch)
  }
  into.unanswered += from.unanswered
  for (const [code, count] of from.errors) countError(into.errors, code, count)
  into.ttfb.merge(from.ttfb)
  into.duration.merge(from.duration)
}

function sketchOf(rollup: Rollup, direction: Direction): PercentileSketch {
  return (rollup.ttfbOf[direction] ??= createPercentileSketch())
}

/** Times to the first byte of each direction; null where none was measured. */
export function ttfbByDirection({ ttfbOf }: Rollup): Record<Direction, Percentiles> {
  const of = (direction: Direction): Percentiles => ttfbOf[direction]?.percentiles() ?? null
  return { out: of('out'), in: of('in'), local: of('local') }
}

/** As a history shows it. */
export function pointOf(rollup: Rollup): HistoryPoint {
  return {
    atMs: rollup.startMs,
    out: rollup.out,
    in: rollup.in,
    local: rollup.local,
    ttfbMs: rollup.ttfb.percentiles(),
    ttfbOfMs: ttfbByDirection(rollup),
    durationMs: rollup.duration.percentiles(),
  }
}

function countError(errors: Map<string, number>, code: string, count: number): void {
  const key = errors.has(code) || errors.size < MAX_CODES ? code : 'other'
  errors.set(key, (errors.get(key) ?? 0) + count)
}

/** Roll-ups of equal length, the newest ones kept. */
export interface RollupSeries {
  add(entry: Readonly<TrafficEntry>, nowMs: number): void
  /** Takes in a roll-up from elsewhere; what is too old for `nowMs` or no multiple of the step is left out. */
  load(rollup: Rollup, nowMs: number): void
  /** Those that have requests, oldest first. */
  all(): readonly Rollup[]
  /** `count` steps of `stepMs` (a multiple of the series' own), the last one the current; empty ones included. */
  steps(stepMs: number, count: number, nowMs: number): Rollup[]
}

/** An empty series that keeps the last `keep` steps of `stepMs`. Spans without requests cost nothing. */
export function createRollupSeries(options: { stepMs: number; keep: number }): RollupSeries {
  const { stepMs, keep } = options
  /** By start, oldest first. */
  const rollups = new Map<number, Rollup>()

  const startOf = (ms: number, step: number): number => Math.floor(ms / step) * step

  function dropOld(nowMs: number): void {
    const oldest = startOf(nowMs, stepMs) - (keep - 1) * stepMs
    for (const start of rollups.keys()) {
      if (start >= oldest && rollups.size <= keep) return
      rollups.delete(start)
    }
  }

  return {
    add(entry, nowMs) {
      const start = startOf(nowMs, stepMs)
      let rollup = rollups.get(start)
      if (rollup === undefined) {
        rollup = emptyRollup(start)
        rollups.set(start, rollup)
        dropOld(nowMs)
      }
      addEntry(rollup, entry)
    },
    load(rollup, nowMs) {
      const { startMs } = rollup
      if (startMs % stepMs !== 0 || startMs > nowMs || startMs <= startOf(nowMs, stepMs) - keep * stepMs) return
      const known = rollups.get(startMs)
      if (known === undefined) rollups.set(startMs, rollup)
      else mergeRollup(known, rollup)
    },
    all: () => [...rollups.values()],
    steps(step, count, nowMs) {
      const first = startOf(nowMs, step) - (count - 1) * step
      const steps = Array.from({ length: count }, (_, index) => emptyRollup(first + index * step))
      for (const rollup of rollups.values()) {
        const target = steps[Math.floor((rollup.startMs - first) / step)]
        if (target !== undefined) mergeRollup(target, rollup)
      }
      return steps
    },
  }
}

/** Durations in milliseconds with percentiles within 2 %, in a few hundred numbers however many came. */
export interface PercentileSketch {
  readonly count: number
  add(ms: number): void
  merge(other: PercentileSketch): void
  percentiles(): Percentiles
  /** The filled bins: key, count, key, count, … */
  bins(): number[]
  /** @internal what {@link PercentileSketch.merge} reads */
  readonly sketch: DDSketch
}

const RELATIVE_ACCURACY = 0.02

/** Longer ones count as a day; nothing is counted below a tenth of a millisecond. */
const MAX_MS = 86_400_000
const MIN_MS = 0.1

/** An empty sketch, or what {@link PercentileSketch.bins} of another gave. */
export function createPercentileSketch(bins: readonly number[] = []): PercentileSketch {
  const sketch = new DDSketch({ relativeAccuracy: RELATIVE_ACCURACY })
  for (let index = 0; index + 1 < bins.length; index += 2) {
    const [key = 0, count = 0] = bins.slice(index, index + 2)
    if (count > 0) sketch.accept(sketch.mapping.value(key), count)
  }
  const at = (quantile: number): number => Math.round(sketch.getValueAtQuantile(quantile) * 10) / 10

  return {
    sketch,
    get count() {
      return sketch.count
    },
    add(ms) {
      sketch.accept(Math.min(Math.max(ms, MIN_MS), MAX_MS))
    },
    merge: (other) => sketch.merge(other.sketch),
    percentiles: () => (sketch.count === 0 ? null : { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) }),
    bins() {
      const { bins: counts, offset } = sketch.store
      return counts.flatMap((count, index) => (count > 0 ? [index + offset, count] : []))
    },
  }
}
