import { useId, type ReactNode } from 'react'
import { Visible } from '../text/visible.js'
import styles from './card.module.css'

/** A framed part of a page. `flush` lets a table reach the edges. */
export function Card({
  title,
  aside,
  flush = false,
  children,
}: {
  title?: string
  aside?: ReactNode
  flush?: boolean
  children: ReactNode
}) {
  const id = useId()
  return (
    <section className={styles['card']} aria-labelledby={title === undefined ? undefined : id}>
      {title !== undefined && (
        <header className={styles['head']}>
          <h2 id={id} className={styles['title']}>
            <Visible text={title} />
          </h2>
          {aside}
        </header>
      )}
      <div className={flush ? styles['flush'] : styles['body']}>{children}</div>
    </section>
  )
}
