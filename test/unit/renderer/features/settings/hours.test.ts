import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hoursOf, paint, scheduleOf } from '../../../../../src-renderer/features/settings/basic/hours.js'

test('the grid of hours writes what the setting reads, for any hours', () => {
  const span = fc.tuple(fc.nat(23), fc.nat(23))
  const day = fc
    .array(span, { maxLength: 2 })
    .map((spans) => Array.from({ length: 24 }, (_, hour) => spans.some(([from, to]) => from <= hour && hour <= to)))
  fc.assert(
    fc.property(fc.array(day, { minLength: 7, maxLength: 7 }), (hours) => {
      fc.pre(hours.some((one) => one.some(Boolean)))
      expect(hoursOf(scheduleOf(hours))).toEqual(hours)
    }),
  )
})

test('a night over midnight is on both days, and always is an empty setting', () => {
  const hours = hoursOf('Mon 22:00-06:00')!
  expect(hours[0]!.slice(21)).toEqual([false, true, true])
  expect(hours[1]!.slice(0, 7)).toEqual([true, true, true, true, true, true, false])
  expect(scheduleOf(hoursOf('')!)).toBe('')
})

test('minutes do not fit the grid, which then leaves the setting alone', () => {
  expect(hoursOf('Mon 18:30-20:00')).toBeUndefined()
  expect(hoursOf('nonsense')).toBeUndefined()
})

test('a rectangle is painted whichever corner it begins at', () => {
  const none = hoursOf('')!.map((day) => day.map(() => false))
  const painted = paint(none, { days: [4, 0], hours: [20, 18], on: true })
  expect(scheduleOf(painted)).toBe('Mon-Fri 18:00-21:00')
  expect(paint(painted, { days: [0, 6], hours: [0, 23], on: false })).toEqual(none)
})
