import { Icon, type IconName } from '../icons/icon.js'
import styles from './icon-button.module.css'

/** A button that is a picture; its words are said on hover and to screen readers. */
export function IconButton({
  icon,
  label,
  onClick,
  disabled = false,
  pressed,
  isStop = true,
}: {
  icon: IconName
  label: string
  onClick: () => void
  disabled?: boolean
  /** For a button that stays on. */
  pressed?: boolean
  /** False where the keyboard passes it by, as the same can be done elsewhere. */
  isStop?: boolean
}) {
  return (
    <button
      type="button"
      className={styles['button']}
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      disabled={disabled}
      tabIndex={isStop ? undefined : -1}
      onClick={onClick}
    >
      <Icon name={icon} size={16} />
    </button>
  )
}
