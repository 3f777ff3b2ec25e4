import { expect, test } from 'vitest'
import { sparkPath } from '../../../../../src-renderer/ui/charts/spark-path.js'

test('a sparkline of no or zero values is a line along the bottom', () => {
  expect(sparkPath([], 100, 20)).toBe('M0 19 H100')
  expect(sparkPath([0, 0], 100, 20)).toBe('M0 19 L100 19')
  expect(sparkPath([0, 4], 100, 20)).toBe('M0 19 L100 2')
})
