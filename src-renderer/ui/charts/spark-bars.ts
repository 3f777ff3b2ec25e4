/** Bars from left to right; the largest value reaches the top, and zero has no bar. */
export function sparkBars(values: readonly number[], width: number, height: number): string {
  const top = Math.max(1, ...values)
  const step = width / Math.max(1, values.length)
  return values
    .map((value, index) => {
      if (value <= 0) return ''
      const tall = Math.max(1, (value / top) * height)
      return `M${round(index * step + step * 0.15)} ${height}v${round(-tall)}h${round(step * 0.7)}v${round(tall)}z`
    })
    .join('')
}

const round = (value: number): number => Math.round(value * 10) / 10
