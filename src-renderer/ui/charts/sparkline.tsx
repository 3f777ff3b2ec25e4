import { sparkBars } from './spark-bars.js'
import styles from './sparkline.module.css'

const WIDTH = 240
const HEIGHT = 32

/** The course of a figure as bars, without axes; the words beside it say what it shows. A step of nothing is a dot. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  return (
    <svg className={styles['spark']} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
      <title>{label}</title>
      <path className={styles['ground']} d={`M0 ${HEIGHT - 0.5} H${WIDTH}`} vectorEffect="non-scaling-stroke" />
      <path className={styles['bars']} d={sparkBars(values, WIDTH, HEIGHT)} />
    </svg>
  )
}
