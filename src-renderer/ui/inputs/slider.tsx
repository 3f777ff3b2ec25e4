import { useState } from 'react'
import styles from './slider.module.css'

/** One of some values, in their order, by dragging or with the arrow keys; what it means stands beside it. */
export function Slider({
  label,
  steps,
  value,
  format,
  onChange,
  disabled = false,
  describedBy,
}: {
  label: string
  /** The values that can be chosen, in order. One that is set but not among them joins them. */
  steps: readonly number[]
  value: number
  /** A value with its unit, as a person reads it. */
  format: (value: number) => string
  /** Called when the person is done, not at each step on the way. */
  onChange: (value: number) => void
  disabled?: boolean
  /** The id of the sentence that explains it. */
  describedBy?: string
}) {
  const [moved, setMoved] = useState<number>()
  const all = withValue(steps, value)
  const shown = moved ?? value
  const done = (): void => {
    if (moved !== undefined && moved !== value) onChange(moved)
    setMoved(undefined)
  }
  return (
    <span className={styles['slider']}>
      <input
        type="range"
        aria-label={label}
        aria-describedby={describedBy}
        aria-valuetext={format(shown)}
        min={0}
        max={all.length - 1}
        value={all.indexOf(shown)}
        disabled={disabled}
        onChange={({ target }) => setMoved(all[Number(target.value)])}
        onPointerUp={done}
        onKeyUp={done}
        onBlur={done}
      />
      <output>{format(shown)}</output>
    </span>
  )
}

/** Zero that stands for "no limit" is the last step, so a value is put before the first larger one or before it. */
function withValue(steps: readonly number[], value: number): readonly number[] {
  if (steps.includes(value)) return steps
  const index = steps.findIndex((step, place) => step > value || (step === 0 && place > 0))
  return index === -1 ? [...steps, value] : steps.toSpliced(index, 0, value)
}
