import type { ReactNode } from 'react'
import { Visible } from '../text/visible.js'
import styles from './page.module.css'

/** A page: the one sentence that answers its question, then the facts, then the actions. */
export function Page({
  name,
  sentence,
  actions,
  children,
}: {
  name: ReactNode
  sentence: string
  actions?: ReactNode
  children: ReactNode
}) {
  return (
    <article className={styles['page']}>
      <header className={styles['head']}>
        <div>
          <p className={styles['name']}>{name}</p>
          <h1 className={styles['sentence']}>
            <Visible text={sentence} />
          </h1>
        </div>
        {actions !== undefined && actions !== false && <div className={styles['actions']}>{actions}</div>}
      </header>
      {children}
    </article>
  )
}
