import { DDSketch } from '@datadog/sketches-js'
import type { Percentiles } from '#shared/contract/traffic.js'

/** Durations in milliseconds of which percentiles can be told within 2 %, in a few hundred numbers however many came. */
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
