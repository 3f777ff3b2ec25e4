import { expect, test } from 'vitest'
import { sparkBars } from '../../../../../src-renderer/ui/charts/spark-bars.js'

test('a sparkline has no bar for zero, and its largest value reaches the top', () => {
  expect(sparkBars([], 100, 20)).toBe('')
  expect(sparkBars([0, 0], 100, 20)).toBe('')
  expect(sparkBars([0, 4], 100, 20)).toBe('M57.5 20v-20h35v20z')
})

test('a value far below the largest one is still seen', () => {
  expect(sparkBars([1, 10_000], 100, 20)).toContain('v-1h')
})
