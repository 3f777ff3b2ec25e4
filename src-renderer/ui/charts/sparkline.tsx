import { sparkPath } from './spark-path.js'
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
