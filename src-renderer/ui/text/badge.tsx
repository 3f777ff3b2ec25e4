import type { ReactNode } from 'react'
import styles from './badge.module.css'

export type Tone = 'neutral' | 'accent' | 'good' | 'cool' | 'warn' | 'bad'

/** A word with a tone; the word alone must say it, colour only helps. */
export function Badge({ tone = 'neutral', title, children }: { tone?: Tone; title?: string; children: ReactNode }) {
  return (
    <span className={`${styles['badge'] ?? ''} ${styles[tone] ?? ''}`} title={title}>
      {children}
    </span>
  )
}
