import type { TrafficEntry } from '#shared/contract/traffic.js'
import { addEntry, emptyRollup, mergeRollup, type Rollup } from './rollup.js'

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
