import type { ReactNode } from 'react'
import { Icon } from '../icons/icon.js'
import { Visible } from '../text/visible.js'
import styles from './notice.module.css'

/** A sentence that should not be missed: why something is so and what to do. */
export function Notice({
  tone,
  title,
  children,
  actions,
}: {
  tone: 'neutral' | 'warn' | 'bad' | 'good'
  title?: string
  children?: ReactNode
  actions?: ReactNode
}) {
  return (
    <div className={`${styles['notice'] ?? ''} ${styles[tone] ?? ''}`}>
      <Icon name={tone === 'good' ? 'check' : tone === 'neutral' ? 'question' : 'alert'} />
      <div className={styles['text']}>
        {title !== undefined && (
          <strong>
            <Visible text={title} />
          </strong>
        )}
        {children !== undefined && <div>{typeof children === 'string' ? <Visible text={children} /> : children}</div>}
      </div>
      {actions !== undefined && <div className={styles['actions']}>{actions}</div>}
    </div>
  )
}
