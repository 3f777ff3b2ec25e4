import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawn } from '../../../../src-main/node-table/budget/drawn.js'

test('what is drawn is so many different ones of what there is', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.nat(50), (items, count) => {
      const found = drawn([...items], count)
      expect(found).toHaveLength(Math.min(items.length, count))
      expect(new Set(found).size).toBe(found.length)
      for (const item of found) expect(items).toContain(item)
    }),
  )
})

test('each is as likely as the others', () => {
  const counts = [0, 0, 0, 0]
  let state = 0
  const random = (): number => (state = (state + 0.618_033_988_7) % 1)
  for (let round = 0; round < 4_000; round += 1) for (const item of drawn([0, 1, 2, 3], 1, random)) counts[item]! += 1
  for (const count of counts) expect(count).toBeCloseTo(1_000, -2)
})
