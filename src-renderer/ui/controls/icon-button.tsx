import { Icon, type IconName } from '../icons/icon.js'
import styles from './icon-button.module.css'

/** A button that is a picture; its words are said on hover and to screen readers. */
export function IconButton({
  icon,
  label,
  onClick,
  disabled = false,
  pressed,
}: {
  icon: IconName
  label: string
  onClick: () => void
  disabled?: boolean
  /** For a button that stays on. */
  pressed?: boolean
}) {
  return (
    <button
      type="button"
      className={styles['button']}
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} size={16} />
    </button>
  )
}
