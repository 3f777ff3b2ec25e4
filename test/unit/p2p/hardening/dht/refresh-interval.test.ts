import { expect, test } from 'vitest'
import { refreshFactor } from '../../../../../src-main/p2p/hardening/dht/refresh-interval.js'

test('a small network is refreshed as ever, a large one the more rarely the more lookups a refresh takes', () => {
  expect([0, 10, 40].map(refreshFactor)).toEqual([1, 1, 1])
  expect(refreshFactor(160)).toBeCloseTo(8)
  expect(refreshFactor(230)).toBeLessThan(15)
})
