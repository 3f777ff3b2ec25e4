import { useId } from 'react'
import styles from './field.module.css'

/** A line to type in, with its name, what it means and what is wrong with it. */
export function Field({
  label,
  value,
  onChange,
  help,
  error,
  type = 'text',
  placeholder,
  inputMode,
  maxLength,
}: {
  label: string
  value: string
  onChange: (value: string) => void
  help?: string
  /** What is wrong with it. */
  error?: string | undefined
  type?: 'text' | 'password'
  placeholder?: string
  inputMode?: 'numeric' | 'decimal'
  /** Characters that can be typed or pasted. */
  maxLength?: number
}) {
  const id = useId()
  const described = [help !== undefined && `${id}-help`, error !== undefined && `${id}-error`]
  return (
    <div className={styles['field']}>
      <label htmlFor={id} className={styles['label']}>
        {label}
      </label>
      <input
        id={id}
        className={styles['input']}
        type={type}
        value={value}
        placeholder={placeholder}
        inputMode={inputMode}
        maxLength={maxLength}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={error !== undefined}
        aria-describedby={described.filter(Boolean).join(' ') || undefined}
        onChange={(event) => onChange(event.target.value)}
      />
      {help !== undefined && (
        <p id={`${id}-help`} className={styles['help']}>
          {help}
        </p>
      )}
      {error !== undefined && (
        <p id={`${id}-error`} className={styles['error']} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}
