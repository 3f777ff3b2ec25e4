import { parseSchedule } from '#shared/schedule.js'

/** Days in the order of the grid, by their number in a `Schedule`. */
const GRID_DAYS = [1, 2, 3, 4, 5, 6, 0] as const
const NAMES: Readonly<Record<number, string>> = {
  ...{ 0: 'Sun', 1: 'Mon', 2: 'Tue', 3: 'Wed', 4: 'Thu', 5: 'Fri', 6: 'Sat' },
}
const HOURS = 24

/** For each row of the grid, whether each hour is one for sharing. */
export type Hours = readonly (readonly boolean[])[]

/** A setting like `Mon-Fri 18:00-08:00` as a grid; an empty one is always. Undefined where it does not fit whole hours. */
export function hoursOf(text: string): Hours | undefined {
  if (text.trim() === '') return GRID_DAYS.map(() => Array<boolean>(HOURS).fill(true))
  const schedule = parseSchedule(text)
  if (schedule === undefined) return undefined
  const spans = schedule.flat()
  if (spans.some(({ from, to }) => from % 60 !== 0 || to % 60 !== 0)) return undefined
  return GRID_DAYS.map((day) =>
    Array.from(
      { length: HOURS },
      (_, hour) => schedule[day]?.some(({ from, to }) => from <= hour * 60 && hour * 60 < to) ?? false,
    ),
  )
}

/** The grid as the setting has it; empty where every hour is one. */
export function scheduleOf(hours: Hours): string {
  if (hours.every((day) => day.every(Boolean))) return ''
  const byDay = hours.map(spansOf)
  const rules: string[] = []
  // Days that follow each other with the same hours share a rule.
  for (let first = 0; first < byDay.length;) {
    const spans = byDay[first] ?? []
    let last = first
    while (last + 1 < byDay.length && byDay[last + 1]?.join() === spans.join()) last += 1
    const days = first === last ? nameOf(first) : `${nameOf(first)}-${nameOf(last)}`
    rules.push(...spans.map((span) => `${days} ${span}`))
    first = last + 1
  }
  return rules.join('; ')
}

/** The grid with the hours of a rectangle on or off. */
export function paint(
  hours: Hours,
  {
    days: [fromDay, toDay],
    hours: [fromHour, toHour],
    on,
  }: { days: [number, number]; hours: [number, number]; on: boolean },
): Hours {
  const within = (value: number, a: number, b: number): boolean => Math.min(a, b) <= value && value <= Math.max(a, b)
  return hours.map((day, row) =>
    day.map((is, hour) => (within(row, fromDay, toDay) && within(hour, fromHour, toHour) ? on : is)),
  )
}

function spansOf(day: readonly boolean[]): string[] {
  const spans: string[] = []
  for (let from = 0; from < HOURS; from += 1) {
    if (day[from] !== true) continue
    let to = from
    while (day[to] === true) to += 1
    spans.push(`${clock(from)}-${clock(to)}`)
    from = to
  }
  return spans
}

const nameOf = (row: number): string => NAMES[GRID_DAYS[row] ?? 0] ?? ''
const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`
