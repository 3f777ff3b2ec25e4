import type { ReactNode } from 'react'
import { Icon, type IconName } from '../icons/icon.js'
import styles from './empty.module.css'

/** What stands where nothing is: that it is so, and what to do next. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className={styles['empty']}>
      <span className={styles['icon']}>
        <Icon name={icon} size={24} />
      </span>
      <p className={styles['title']}>{title}</p>
      {children !== undefined && <div className={styles['hint']}>{children}</div>}
    </div>
  )
}
