import styles from './select.module.css'

/** A choice of a few in little room: the browser's own list. */
export function Select<T extends string>({
  label,
  options,
  value,
  onChange,
  disabled = false,
}: {
  /** What is chosen, for those who can't see where it stands. */
  label: string
  options: readonly { value: T; label: string }[]
  value: T
  onChange: (value: T) => void
  disabled?: boolean
}) {
  return (
    <select
      className={styles['select']}
      aria-label={label}
      value={value}
      disabled={disabled}
      onChange={({ target }) => {
        const chosen = options.find((option) => option.value === target.value)
        if (chosen !== undefined) onChange(chosen.value)
      }}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  )
}
