import { useEffect, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { hoursOf, paint, scheduleOf, type Hours } from './hours.js'
import styles from './week-grid.module.css'

const { hours: words } = strings.settings.basic

/** A place in the grid, by row and hour. */
type Place = readonly [row: number, hour: number]

const STEPS: Readonly<Record<string, Place>> = {
  ...{ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] },
}

/**
 * The hours of a week in which this computer shares. A click or Space turns one over, dragging paints a rectangle;
 * arrow keys walk, and with Shift they paint on.
 */
export function WeekGrid({
  value,
  onChange,
  disabled,
}: {
  /** The setting's text. */
  value: string
  onChange: (value: string) => void
  disabled: boolean
}) {
  const [edited, setEdited] = useState<Hours>()
  const [at, setAt] = useState<Place>([0, 0])
  const [drag, setDrag] = useState<{ from: Place; on: boolean; before: Hours }>()
  useEffect(() => setEdited(undefined), [value])
  const saved = hoursOf(value)
  const hours = edited ?? saved
  if (hours === undefined) return <p>{words.odd(value)}</p>

  const toggle = ([row, hour]: Place, on = hours[row]?.[hour] !== true): void =>
    setEdited(paint(hours, { days: [row, row], hours: [hour, hour], on }))
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = STEPS[event.key]
    if (step === undefined) return
    event.preventDefault()
    const [row, hour] = at
    const next: Place = [clamp(row + step[0], 6), clamp(hour + step[1], 23)]
    if (event.shiftKey) toggle(next, hours[row]?.[hour] === true)
    setAt(next)
    event.currentTarget.querySelector<HTMLElement>(`[data-place="${next.join()}"]`)?.focus()
  }
  const onPointerDown = (event: PointerEvent): void => {
    const place = placeUnder(event)
    if (place === undefined || disabled) return
    const on = hours[place[0]]?.[place[1]] !== true
    setAt(place)
    setDrag({ from: place, on, before: hours })
    toggle(place, on)
  }
  const onPointerMove = (event: PointerEvent): void => {
    const place = drag === undefined ? undefined : placeUnder(event)
    if (drag === undefined || place === undefined) return
    const { before, from, on } = drag
    setEdited(paint(before, { days: [from[0], place[0]], hours: [from[1], place[1]], on }))
  }
  const text = scheduleOf(hours)
  const none = hours.every((day) => !day.some(Boolean))
  return (
    <div>
      <div
        role="group"
        aria-label={words.label}
        className={styles['grid']}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={() => setDrag(undefined)}
        onPointerLeave={() => setDrag(undefined)}
      >
        <span />
        {[0, 6, 12, 18].map((hour) => (
          <span key={hour} className={styles['hour']}>
            {String(hour).padStart(2, '0')}
          </span>
        ))}
        {hours.map((day, row) => [
          <span key={words.days[row]} className={styles['day']}>
            {words.days[row]}
          </span>,
          ...day.map((on, hour) => (
            <button
              key={`${row} ${hour}`}
              type="button"
              role="switch"
              aria-checked={on}
              aria-label={words.cell(words.days[row] ?? '', hour)}
              title={words.cell(words.days[row] ?? '', hour)}
              data-place={`${row},${hour}`}
              tabIndex={row === at[0] && hour === at[1] ? 0 : -1}
              disabled={disabled}
              className={styles['cell']}
              onFocus={() => setAt([row, hour])}
              // The pointer has done so when it came down.
              onClick={(event) => event.detail === 0 && toggle([row, hour])}
            />
          )),
        ])}
      </div>
      <div className={styles['foot']}>
        <p role="status">{none ? words.never : text === '' ? words.always : text}</p>
        <Button disabled={disabled} onClick={() => setEdited(hours.map((day) => day.map(() => text !== '')))}>
          {text === '' ? words.clear : words.all}
        </Button>
        {edited !== undefined && (
          <>
            <Button onClick={() => setEdited(undefined)}>{strings.settings.cancel}</Button>
            <Button primary disabled={disabled || none || text === value} onClick={() => onChange(text)}>
              {words.save}
            </Button>
          </>
        )}
      </div>
    </div>
  )
}

const clamp = (value: number, max: number): number => Math.min(max, Math.max(0, value))

function placeUnder({ clientX, clientY }: PointerEvent): Place | undefined {
  const cell = document.elementFromPoint(clientX, clientY)?.closest<HTMLElement>('[data-place]')
  const [row, hour] = (cell?.dataset['place'] ?? '').split(',').map(Number)
  return row === undefined || hour === undefined || Number.isNaN(hour) ? undefined : [row, hour]
}
