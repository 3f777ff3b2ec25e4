/** A line through the values from left to right; zero and no values at all lie on the ground. */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  const top = Math.max(1, ...values)
  const ground = height - 1
  if (values.length < 2) return `M0 ${ground} H${width}`
  const step = width / (values.length - 1)
  const points = values.map((value, index) => {
    const y = ground - (Math.max(0, value) / top) * (height - 3)
    return `${round(index * step)} ${round(y)}`
  })
  return `M${points.join(' L')}`
}

const round = (value: number): number => Math.round(value * 10) / 10
