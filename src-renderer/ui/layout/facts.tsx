import type { ReactNode } from 'react'
import styles from './facts.module.css'

/** Names and what they are, one under the other. */
export function Facts({ facts }: { facts: readonly { name: string; hint?: string; value: ReactNode }[] }) {
  return (
    <dl className={styles['facts']}>
      {facts.map(({ name, hint, value }) => (
        <div key={name} className={styles['fact']}>
          <dt title={hint}>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
