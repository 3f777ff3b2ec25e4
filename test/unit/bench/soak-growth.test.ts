import { expect, test } from 'vitest'
import { growthOf, isFlat, type Sample, type VitalSigns } from '../../bench/soak/growth.ts'
import { slope } from '../../bench/statistics.ts'

const samplesOf = (rss: readonly number[]): Sample[] =>
  rss.map((rssMiB, index) => ({
    ...{ atS: index * 40, deaths: index, isSettled: true },
    survivors: [{ rssMiB, handles: rssMiB } as VitalSigns],
  }))

test('what moves up and down around one height is flat', () => {
  const growth = growthOf(samplesOf([100, 104, 99, 103, 100, 98, 104, 101, 102]), 0, 'rssMiB')
  expect(isFlat(growth, 'rssMiB')).toBe(true)
})

test('what rises with every sample is not, and its trend says by how much', () => {
  const growth = growthOf(samplesOf([100, 102, 104, 106, 108, 110, 112, 114, 116]), 0, 'rssMiB')
  expect(growth.trend).toBeCloseTo(0.16)
  expect(isFlat(growth, 'rssMiB')).toBe(false)
})

test('one sample far out tilts nothing', () => {
  expect(isFlat(growthOf(samplesOf([100, 100, 101, 100, 180, 100, 101, 100, 100]), 0, 'rssMiB'), 'rssMiB')).toBe(true)
})

test('a handful more of what is counted is no growth', () => {
  expect(isFlat(growthOf(samplesOf([20, 20, 20, 21, 22, 22, 23, 23, 23]), 0, 'handles'), 'handles')).toBe(true)
  expect(isFlat(growthOf(samplesOf([20, 22, 24, 26, 28, 30, 32, 34, 36]), 0, 'handles'), 'handles')).toBe(false)
})

test('one left behind by each death is growth, however many died', () => {
  const samplesWith = (timers: (deaths: number) => number): Sample[] =>
    [0, 5, 10, 15, 20, 25, 30, 35, 40].map((deaths) => ({
      ...{ atS: deaths * 20, deaths, isSettled: true },
      survivors: [{ timers: timers(deaths) } as VitalSigns],
    }))
  expect(
    isFlat(
      growthOf(
        samplesWith((deaths) => 20 + deaths),
        0,
        'timers',
      ),
      'timers',
    ),
  ).toBe(false)
  expect(
    isFlat(
      growthOf(
        samplesWith((deaths) => 20 + (deaths % 10)),
        0,
        'timers',
      ),
      'timers',
    ),
  ).toBe(true)
  expect(
    isFlat(
      growthOf(
        samplesWith((deaths) => 20 + deaths / 5),
        0,
        'timers',
      ),
      'timers',
    ),
  ).toBe(true)
})

test('a survivor that told nothing is not flat', () => {
  expect(isFlat(growthOf([], 0, 'rssMiB'), 'rssMiB')).toBe(false)
})

test('the median slope of a line is its slope', () => {
  const points = [0, 1, 2, 3].map((x): [number, number] => [x, 3 * x + 1])
  expect(slope(points)).toBe(3)
})
