/** The p-th percentile (0–100) by nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 50)

/** How far the middle half of the values lies apart, as a share of the median: the noise of the machine. */
export function spread(values: readonly number[]): number {
  return (percentile(values, 75) - percentile(values, 25)) / median(values)
}

/** The middle half of the values: its lower and its upper end. */
export const quartiles = (values: readonly number[]): [number, number] => [
  percentile(values, 25),
  percentile(values, 75),
]

/** The median of the slopes between every two points (Theil and Sen): outliers do not tilt it. NaN of fewer than two. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], index) =>
    points.slice(index + 1).map((other) => (other[1] - y) / (other[0] - x)),
  )
  return median(slopes)
}
