import { expect, test } from 'vitest'
import { isWithin, nextChange, parseSchedule } from '#shared/schedule.js'

/** A Monday. */
const at = (day: number, hours: number, minutes = 0): Date => new Date(2030, 0, 7 + day, hours, minutes)

test('a span over midnight runs into the next day', () => {
  const schedule = parseSchedule('Mon-Fri 18:00-08:00; Sat,Sun 00:00-24:00')!
  expect(isWithin(schedule, at(0, 7))).toBe(false)
  expect(isWithin(schedule, at(0, 18))).toBe(true)
  expect(isWithin(schedule, at(1, 7, 59))).toBe(true)
  expect(isWithin(schedule, at(1, 8))).toBe(false)
  expect(isWithin(schedule, at(5, 12))).toBe(true)
  expect(isWithin(schedule, at(7, 0))).toBe(false)
})

test('the next change is told', () => {
  const schedule = parseSchedule('18:00-08:00')!
  expect(nextChange(schedule, at(0, 12))).toEqual(at(0, 18))
  expect(nextChange(schedule, at(0, 23, 30))).toEqual(at(1, 8))
  expect(nextChange(parseSchedule('00:00-24:00')!, at(0, 12))).toBeUndefined()
})

test('a week that wraps is read', () => {
  const schedule = parseSchedule('Fri-Mon 10:00-11:00')!
  expect([0, 1, 2, 3, 4, 5, 6].map((day) => isWithin(schedule, at(day, 10, 30)))).toEqual([
    true,
    ...[false, false, false],
    ...[true, true, true],
  ])
})

test.each([
  '',
  'always',
  '25:00-26:00',
  '10:60-11:00',
  'Mon 10-11',
  'Xyz 10:00-11:00',
  'Mon- 10:00-11:00',
  '24:00-08:00',
])('%j is no schedule', (text) => {
  expect(parseSchedule(text)).toBeUndefined()
})
