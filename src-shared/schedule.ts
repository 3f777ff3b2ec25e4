/** A weekly timetable: for each day (0 is Sunday) spans of minutes since its midnight. */
export type Schedule = readonly (readonly { from: number; to: number }[])[]

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const DAY_MINUTES = 24 * 60
const MAX_RULES = 32

/**
 * Reads `Mon-Fri 18:00-08:00; Sat,Sun 00:00-24:00`: rules separated by semicolons, each days (or none for every day)
 * and a span. A span that ends before it begins runs into the next day. Undefined for anything else.
 */
export function parseSchedule(text: string): Schedule | undefined {
  const rules = text.split(';').filter((rule) => rule.trim() !== '')
  if (rules.length === 0 || rules.length > MAX_RULES) return undefined
  const week: { from: number; to: number }[][] = DAYS.map(() => [])
  for (const rule of rules) {
    const [, days, from, to] = /^\s*(?:(\S+)\s+)?(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*$/.exec(rule) ?? []
    const start = minutes(from)
    const end = minutes(to)
    const named = days === undefined ? DAYS.map((_, index) => index) : daysIn(days)
    if (start === undefined || end === undefined || named === undefined || start === DAY_MINUTES) return undefined
    for (const day of named) {
      if (start < end) week[day]?.push({ from: start, to: end })
      else {
        week[day]?.push({ from: start, to: DAY_MINUTES })
        if (end > 0) week[(day + 1) % DAYS.length]?.push({ from: 0, to: end })
      }
    }
  }
  return week
}

/** Whether `at` (by the clock of this computer) is inside. */
export function isWithin(schedule: Schedule, at: Date): boolean {
  const minute = at.getHours() * 60 + at.getMinutes()
  return schedule[at.getDay()]?.some(({ from, to }) => from <= minute && minute < to) ?? false
}

/** The next moment, within a week of `at`, from which it is (or is no longer) inside; undefined where it never changes. */
export function nextChange(schedule: Schedule, at: Date): Date | undefined {
  const now = isWithin(schedule, at)
  const moment = new Date(at)
  moment.setSeconds(0, 0)
  const edges = schedule.flatMap((spans, day) =>
    spans.flatMap(({ from, to }) => [day * DAY_MINUTES + from, day * DAY_MINUTES + to]),
  )
  const nowMinute = moment.getDay() * DAY_MINUTES + moment.getHours() * 60 + moment.getMinutes()
  const week = DAYS.length * DAY_MINUTES
  const distances = [...new Set(edges.map((edge) => (((edge - nowMinute) % week) + week) % week || week))]
  for (const distance of distances.sort((a, b) => a - b)) {
    const then = new Date(moment)
    // By the calendar, so that a day with 23 hours changes nothing.
    then.setMinutes(then.getMinutes() + distance)
    if (isWithin(schedule, then) !== now) return then
  }
  return undefined
}

function minutes(text: string | undefined): number | undefined {
  const [hours = NaN, rest = NaN] = (text ?? '').split(':').map(Number)
  const total = hours * 60 + rest
  return rest < 60 && total <= DAY_MINUTES ? total : undefined
}

/** `Mon-Fri`, `Sat,Sun`, `Mon`. */
function daysIn(text: string): number[] | undefined {
  const days: number[] = []
  for (const part of text.split(',')) {
    const [first, last, ...more] = part.split('-').map((name) => DAYS.indexOf(name.slice(0, 3).toLowerCase()))
    if (first === undefined || first === -1 || last === -1 || more.length > 0) return undefined
    const count = last === undefined ? 1 : ((last - first + DAYS.length) % DAYS.length) + 1
    for (let index = 0; index < count; index += 1) days.push((first + index) % DAYS.length)
  }
  return days
}
