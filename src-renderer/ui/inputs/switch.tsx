import { useEffect, useState } from 'react'
import styles from './switch.module.css'

/**
 * On or off, at once. It shows what was chosen while the node still confirms it, and goes back where the node refuses:
 * `onChange` resolves to whether it was taken.
 */
export function Switch({
  label,
  checked,
  onChange,
  disabled = false,
  describedBy,
}: {
  label: string
  checked: boolean
  onChange: (checked: boolean) => Promise<boolean>
  disabled?: boolean
  /** The id of the sentence that explains it. */
  describedBy?: string
}) {
  const [chosen, setChosen] = useState<boolean>()
  useEffect(() => setChosen(undefined), [checked])
  const change = (next: boolean): void => {
    setChosen(next)
    void onChange(next).then((taken) => {
      if (!taken) setChosen(undefined)
    })
  }
  return (
    <input
      type="checkbox"
      role="switch"
      className={styles['switch']}
      aria-label={label}
      aria-describedby={describedBy}
      checked={chosen ?? checked}
      disabled={disabled}
      onChange={({ target }) => change(target.checked)}
    />
  )
}
