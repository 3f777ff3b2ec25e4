import { expect, test } from 'vitest'
import { pauseThatCounts, stateKind } from '../../../../src-main/api/handlers/status.js'

test.each([
  ['node', 3, 1, 'sharing'],
  ['node', 3, 0, 'connected'],
  ['node', 0, 1, 'alone'],
  ['local', 0, 0, 'alone'],
  ['standalone', 0, 1, 'standalone'],
  ['standalone', 1, 1, 'sharing'],
] as const)('in mode %s with %i peers and %i shared models the state is %s', (mode, peers, shared, kind) => {
  expect(stateKind(mode, peers, shared)).toBe(kind)
})

test('a pause counts where there is something to share, and one by hand always', () => {
  const state = { running: 0, cutAtMs: null, rules: [] }
  const battery = { cause: 'on-battery' as const, sentence: 'on battery', untilMs: null }
  const manual = { cause: 'manual' as const, sentence: 'you paused it', untilMs: 5 }
  expect(pauseThatCounts({ ...state, paused: false, reasons: [] }, 1)).toBeUndefined()
  expect(pauseThatCounts({ ...state, paused: true, reasons: [battery] }, 0)).toBeUndefined()
  expect(pauseThatCounts({ ...state, paused: true, reasons: [battery] }, 1)).toEqual({
    sentence: 'on battery',
    untilMs: null,
  })
  expect(pauseThatCounts({ ...state, paused: true, reasons: [manual] }, 0)).toEqual({
    sentence: 'you paused it',
    untilMs: 5,
  })
})
