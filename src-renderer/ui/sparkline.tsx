import styles from './sparkline.module.css'

const WIDTH = 120
const HEIGHT = 28

/** The course of a figure, without axes; the words beside it say what it shows. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const path = sparkPath(values, WIDTH, HEIGHT)
  return (
    <svg className={styles['spark']} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
      <title>{label}</title>
      <path className={styles['area']} d={`${path} V${HEIGHT} H0 Z`} />
      <path className={styles['line']} d={path} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}

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
