import type { ReactNode } from 'react'
import { Visible } from '../text/visible.js'
import styles from './facts.module.css'

/** Names and what they are, one under the other. */
export function Facts({ facts }: { facts: readonly { name: string; hint?: string; value: ReactNode }[] }) {
  return (
    <dl className={styles['facts']}>
      {facts.map(({ name, hint, value }) => (
        <div key={name} className={styles['fact']}>
          <dt title={hint}>{name}</dt>
          <dd>{typeof value === 'string' ? <Visible text={value} /> : value}</dd>
        </div>
      ))}
    </dl>
  )
}
