import { useId } from 'react'
import styles from './field.module.css'

/** Some lines to type in, with their name and what they mean. */
export function TextArea({
  label,
  value,
  onChange,
  help,
  rows = 2,
}: {
  label: string
  value: string
  onChange: (value: string) => void
  help?: string
  rows?: number
}) {
  const id = useId()
  return (
    <div className={styles['field']}>
      <label htmlFor={id} className={styles['label']}>
        {label}
      </label>
      <textarea
        id={id}
        className={styles['area']}
        rows={rows}
        value={value}
        spellCheck={false}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        onChange={(event) => onChange(event.target.value)}
      />
      {help !== undefined && (
        <p id={`${id}-help`} className={styles['help']}>
          {help}
        </p>
      )}
    </div>
  )
}
