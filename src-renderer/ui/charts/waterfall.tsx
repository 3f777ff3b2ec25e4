import { formatMs } from '../../strings/format.js'
import styles from './waterfall.module.css'

/** One span of time. */
export interface WaterfallBar {
  label: string
  /** From the beginning of the whole. */
  startMs: number
  durationMs: number
  tone: 'series' | 'good' | 'bad' | 'whole'
  note?: string | undefined
}

/** Spans of time one under the other, on one scale. */
export function Waterfall({ label, totalMs, bars }: { label: string; totalMs: number; bars: readonly WaterfallBar[] }) {
  const share = (ms: number): string => `${Math.min(100, (ms / Math.max(1, totalMs)) * 100)}%`
  return (
    <ul className={styles['waterfall']} aria-label={label}>
      {bars.map((bar, index) => (
        <li key={index} className={styles['row']}>
          <span className={styles['label']} title={bar.label}>
            {bar.label}
          </span>
          <span className={styles['track']}>
            <span
              className={`${styles['bar'] ?? ''} ${styles[bar.tone] ?? ''}`}
              style={{ left: share(bar.startMs), width: share(bar.durationMs) }}
            />
          </span>
          <span className={styles['time']}>{formatMs(bar.durationMs)}</span>
          {bar.note !== undefined && <span className={styles['note']}>{bar.note}</span>}
        </li>
      ))}
    </ul>
  )
}
