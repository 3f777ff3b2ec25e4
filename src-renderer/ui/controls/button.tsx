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
  label,
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
  /** What a screen reader says, where the words alone do not tell it from others; it holds them. */
  label?: string
}) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      className={primary ? styles['primary'] : styles['button']}
      onClick={onClick}
      aria-pressed={pressed}
      aria-label={label}
      disabled={disabled}
    >
      {icon !== undefined && <Icon name={icon} size={16} />}
      {children}
    </button>
  )
}
