import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SwapRemoveSet, NOT_A_MEMBER, type SwapRemoveMember } from '../../../src-main/base/swap-remove-set.js'

test('a bag holds what a set would hold, whatever comes and goes', () => {
  const moves = fc.array(fc.record({ who: fc.nat(7), what: fc.constantFrom('add', 'delete') }), { maxLength: 60 })
  fc.assert(
    fc.property(moves, (made) => {
      const members = Array.from({ length: 8 }, (): SwapRemoveMember => ({ setIndex: NOT_A_MEMBER }))
      const bag = new SwapRemoveSet<SwapRemoveMember>()
      const set = new Set<SwapRemoveMember>()
      for (const { who, what } of made) {
        const member = members[who]!
        if (what === 'add') {
          bag.add(member)
          set.add(member)
        } else expect(bag.delete(member)).toBe(set.delete(member))
        expect(bag.size).toBe(set.size)
      }
      expect(new Set(bag)).toEqual(set)
    }),
  )
})

test('a member may leave while the bag is walked through', () => {
  const members = Array.from({ length: 5 }, (): SwapRemoveMember => ({ setIndex: NOT_A_MEMBER }))
  const bag = new SwapRemoveSet<SwapRemoveMember>()
  for (const member of members) bag.add(member)
  let seen = 0
  for (const member of bag) {
    seen += 1
    bag.delete(member)
  }
  expect([seen, bag.size]).toEqual([5, 0])
})
