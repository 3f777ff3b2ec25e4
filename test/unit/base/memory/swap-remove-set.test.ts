import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SwapRemoveSet, NOT_A_MEMBER, type SwapRemoveMember } from '../../../../src-main/base/memory/swap-remove-set.js'

test('a swap-remove set holds what a set would hold, whatever comes and goes', () => {
  const moves = fc.array(fc.record({ who: fc.nat(7), what: fc.constantFrom('add', 'delete') }), { maxLength: 60 })
  fc.assert(
    fc.property(moves, (made) => {
      const members = Array.from({ length: 8 }, (): SwapRemoveMember => ({ setIndex: NOT_A_MEMBER }))
      const swapSet = new SwapRemoveSet<SwapRemoveMember>()
      const set = new Set<SwapRemoveMember>()
      for (const { who, what } of made) {
        const member = members[who]!
        if (what === 'add') {
          swapSet.add(member)
          set.add(member)
        } else expect(swapSet.delete(member)).toBe(set.delete(member))
        expect(swapSet.size).toBe(set.size)
      }
      expect(new Set(swapSet)).toEqual(set)
    }),
  )
})

test('a member may leave while the set is walked through', () => {
  const members = Array.from({ length: 5 }, (): SwapRemoveMember => ({ setIndex: NOT_A_MEMBER }))
  const swapSet = new SwapRemoveSet<SwapRemoveMember>()
  for (const member of members) swapSet.add(member)
  let seen = 0
  for (const member of swapSet) {
    seen += 1
    swapSet.delete(member)
  }
  expect([seen, swapSet.size]).toEqual([5, 0])
})
