import { expect, test } from 'vitest'
import { tokensPerSecond } from '../../../../src-renderer/stores/traffic-figures.js'

test('tokens per second are null where they can’t be known', () => {
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 200, durationMs: 2200 })).toBe(50)
  expect(tokensPerSecond({ tokens: null, ttfbMs: 200, durationMs: 2200 })).toBeNull()
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 199, durationMs: 200 })).toBe(500)
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 0, durationMs: 0 })).toBeNull()
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 200, durationMs: null })).toBeNull()
})
