import { useId } from 'react'
import styles from './segmented.module.css'

/** A choice of a few, all in view: radio buttons that look like one bar. */
export function Segmented<T extends string>({
  label,
  options,
  value,
  onChange,
}: {
  label: string
  options: readonly { value: T; label: string }[]
  /** Undefined while none of them holds. */
  value: T | undefined
  onChange: (value: T) => void
}) {
  const name = useId()
  return (
    <div role="radiogroup" aria-label={label} className={styles['bar']}>
      {options.map((option) => (
        <label key={option.value} className={styles['option']}>
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            className={styles['input']}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  )
}
