import { useId, type KeyboardEvent, type ReactNode } from 'react'
import styles from './tabs.module.css'

/** Panels of which one is shown; arrow keys walk through their tabs. */
export function Tabs<T extends string>({
  label,
  names,
  current,
  onChange,
  children,
}: {
  label: string
  names: readonly T[]
  current: T
  onChange: (name: T) => void
  children: ReactNode
}) {
  const id = useId()
  const walk = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    const next = step === 0 ? undefined : names.at((names.indexOf(current) + step) % names.length)
    if (next === undefined) return
    onChange(next)
    event.currentTarget.querySelector<HTMLElement>(`[data-name="${next}"]`)?.focus()
  }
  return (
    <div>
      <div role="tablist" aria-label={label} className={styles['tabs']} onKeyDown={walk}>
        {names.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            data-name={name}
            aria-selected={name === current}
            aria-controls={id}
            tabIndex={name === current ? 0 : -1}
            className={styles['tab']}
            onClick={() => onChange(name)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={id} aria-label={current}>
        {children}
      </div>
    </div>
  )
}
