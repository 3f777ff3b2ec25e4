import { describe, expect, test } from 'vitest'
import { Patience, PATIENCE } from '../../../../src-main/gateway/routing/patience.js'

const STREAMED = { peerId: 'a', offer: 'llm', isStreamed: true }
const WHOLE = { ...STREAMED, isStreamed: false }
const SHORT = { bodyBytes: 0, queueingMs: 0 }

/** Lengths of a wait are few: each is at most that much longer than it should be. */
const STEP = 2 ** 0.5

function expectAbout(ms: number, wantedMs: number): void {
  expect(ms).toBeGreaterThanOrEqual(wantedMs)
  expect(ms).toBeLessThanOrEqual(wantedMs * STEP + 1)
}

describe('the patience with a provider', () => {
  test('the patience with an unknown provider is longer for an answer that comes in one piece', () => {
    const patience = new Patience()
    expectAbout(patience.firstMs(STREAMED, SHORT), PATIENCE.unknownStreamedMs)
    expectAbout(patience.firstMs(WHOLE, SHORT), PATIENCE.unknownWholeMs)
  })

  test('the patience with a known provider is some times its usual, within bounds, for that model alone', () => {
    const patience = new Patience()
    patience.learned(STREAMED, { firstMs: 100, gapMs: 50 })
    expectAbout(patience.firstMs(STREAMED, SHORT), PATIENCE.floorMs)
    patience.learned(STREAMED, { firstMs: 3_000, gapMs: 50 })
    expectAbout(patience.firstMs(STREAMED, SHORT), 12_000)
    patience.learned(STREAMED, { firstMs: 600_000, gapMs: 50 })
    expect(patience.firstMs(STREAMED, SHORT)).toBe(PATIENCE.ceilingMs)
    expectAbout(patience.firstMs({ ...STREAMED, offer: 'other' }, SHORT), PATIENCE.unknownStreamedMs)
  })

  test('the patience with a provider grows at once and shrinks slowly', () => {
    const patience = new Patience()
    patience.learned(STREAMED, { firstMs: 10_000, gapMs: 0 })
    patience.learned(STREAMED, { firstMs: 100, gapMs: 0 })
    expect(patience.firstMs(STREAMED, SHORT)).toBeGreaterThan(20_000)
  })

  test('a long prompt and a queue are given more time', () => {
    const patience = new Patience()
    expectAbout(patience.firstMs(STREAMED, { bodyBytes: 40_000, queueingMs: 0 }), PATIENCE.unknownStreamedMs + 10_000)
    expectAbout(patience.firstMs(STREAMED, { bodyBytes: 0, queueingMs: 9_000 }), PATIENCE.unknownStreamedMs + 9_000)
  })

  test('an answer may stand still for long where nothing is known, and for many times its usual gap where it is', () => {
    const patience = new Patience()
    expect(patience.silenceMs(STREAMED)).toBeUndefined()
    patience.learned(STREAMED, { firstMs: 1, gapMs: 20 })
    expect(patience.silenceMs(STREAMED)).toBe(60_000)
    patience.learned(STREAMED, { firstMs: 1, gapMs: 10_000 })
    expect(patience.silenceMs(STREAMED)).toBe(200_000)
  })
})
