import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineListFeed, defineStateFeed } from '#shared/contract/define.js'
import { CALLS, FEEDS } from '#shared/contract/index.js'

const Item = z.object({ key: z.string(), value: z.number() })
const feed = defineListFeed('items', Item, (item) => item.key)
const items = fc.uniqueArray(
  fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), value: fc.integer({ min: 0, max: 3 }) }),
  {
    selector: (item) => item.key,
  },
)
const byKey = (list: z.output<typeof Item>[]) => list.toSorted((a, b) => (a.key < b.key ? -1 : 1))

test('a delta turns the state before into the state after, whatever both are', () => {
  fc.assert(
    fc.property(items, items, (before, after) => {
      const delta = feed.diff(before, after)
      const applied = delta === undefined ? before : feed.apply(before, feed.delta.parse(delta))
      expect(byKey(applied)).toEqual(byKey(after))
    }),
  )
})

test('rows that stay keep their place', () => {
  const before = [
    { key: 'a', value: 1 },
    { key: 'b', value: 1 },
    { key: 'c', value: 1 },
  ]
  const after = [
    { key: 'c', value: 1 },
    { key: 'a', value: 2 },
    { key: 'd', value: 1 },
  ]
  expect(feed.apply(before, feed.diff(before, after)!).map(({ key }) => key)).toEqual(['a', 'c', 'd'])
})

test('no change is no delta', () => {
  expect(feed.diff([{ key: 'a', value: 1 }], [{ key: 'a', value: 1 }])).toBeUndefined()
  const state = defineStateFeed('n', z.object({ n: z.number() }))
  expect(state.diff({ n: 1 }, { n: 1 })).toBeUndefined()
  expect(state.diff({ n: 1 }, { n: 2 })).toEqual({ n: 2 })
})

test('every call and feed has a sentence for the docs, and every input refuses unknown fields', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    expect(call.help, name).toMatch(/\.$/)
    expect(call.input.safeParse({ nobodyKnows: 1 }).success, name).toBe(false)
  }
  for (const [name, { help }] of Object.entries(FEEDS)) expect(help, name).toMatch(/\.$/)
})
