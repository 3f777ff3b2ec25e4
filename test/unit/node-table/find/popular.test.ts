import { expect, test } from 'vitest'
import { standsInDht } from '../../../../src-main/node-table/find/popular.js'

test('all of few providers stand in the DHT, and about as many of many', () => {
  const draws = Array.from({ length: 1000 }, (_, index) => index / 1000)
  const standing = (providers: number): number => draws.filter((draw) => standsInDht(draw, providers, true)).length
  expect([0, 1, 16].map(standing)).toEqual([1000, 1000, 1000])
  expect([32, 160, 1600].map(standing)).toEqual([500, 100, 10])
})

test('where the table is whole, everybody stands in the DHT: older nodes may look there', () => {
  expect(standsInDht(0.999, 20_000, false)).toBe(true)
})
