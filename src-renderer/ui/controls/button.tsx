import type { ReactNode } from 'react'
import { Icon, type IconName } from '../icons/icon.js'
import styles from './button.module.css'

/** A button with words. */
export function Button({
  icon,
  onClick,
  children,
  primary = false,
  pressed,
  disabled = false,
  submit = false,
}: {
  icon?: IconName
  onClick?: () => void
  children: ReactNode
  primary?: boolean
  /** For a button that stays on. */
  pressed?: boolean
  disabled?: boolean
  /** Sends the form it stands in. */
  submit?: boolean
}) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      className={primary ? styles['primary'] : styles['button']}
      onClick={onClick}
      aria-pressed={pressed}
      disabled={disabled}
    >
      {icon !== undefined && <Icon name={icon} size={16} />}
      {children}
    </button>
  )
}
