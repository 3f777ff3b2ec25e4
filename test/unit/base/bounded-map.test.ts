import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BoundedMap } from '../../../src-main/base/bounded-map.js'

it('evicts the entry that was used the longest ago', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  expect(map.get('a')).toBe(1)
  map.set('c', 3)
  expect([...map]).toEqual([
    ['a', 1],
    ['c', 3],
  ])
})

it('looking without use does not save an entry from eviction', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  expect(map.peek('a')).toBe(1)
  expect(map.has('a')).toBe(true)
  map.set('c', 3)
  expect(map.has('a')).toBe(false)
})

it('never holds more than its capacity, and always the last one set', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 20 })), (capacity, keys) => {
      const map = new BoundedMap<number, number>(capacity)
      for (const key of keys) {
        map.set(key, key)
        expect(map.size).toBeLessThanOrEqual(capacity)
        expect(map.peek(key)).toBe(key)
      }
    }),
  )
})
