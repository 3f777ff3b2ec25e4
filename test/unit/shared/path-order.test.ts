import { expect, test } from 'vitest'
import { PathKindSchema } from '#shared/contract/network/peers.js'
import { comparePaths, PATHS_BEST_FIRST } from '#shared/path-order.js'

test('every kind of path has one place in the order, and a relay is the last', () => {
  expect([...PATHS_BEST_FIRST].sort()).toEqual([...PathKindSchema.options].sort())
  expect(PATHS_BEST_FIRST.at(-1)).toBe('relayed')
})

test('sorting paths puts direct QUIC first and the relay last', () => {
  expect((['relayed', 'direct-tcp', 'hole-punched', 'direct-quic'] as const).toSorted(comparePaths)).toEqual([
    'direct-quic',
    'direct-tcp',
    'hole-punched',
    'relayed',
  ])
})
