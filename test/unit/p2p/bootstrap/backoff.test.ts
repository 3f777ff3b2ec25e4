import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bootstrapDelayMs } from '../../../../src-main/p2p/bootstrap/backoff.js'

test('the waits are quick at first, then 5 seconds doubling up to two minutes', () => {
  const waits = Array.from({ length: 11 }, (_, index) => bootstrapDelayMs(index + 1, 0))
  expect(waits).toEqual([1000, 2000, 4000, 5000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000, 120_000])
})

test('chance takes off up to a third and never adds', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), random, (failures, chance) => {
      const full = bootstrapDelayMs(failures, 0)
      const delay = bootstrapDelayMs(failures, chance)
      expect(delay).toBeLessThanOrEqual(full)
      expect(delay).toBeGreaterThanOrEqual(Math.floor((full * 2) / 3))
      expect(full).toBeLessThanOrEqual(120_000)
      expect(full).toBeGreaterThanOrEqual(bootstrapDelayMs(Math.max(1, failures - 1), 0))
    }),
  )
})
