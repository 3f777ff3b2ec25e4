import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createProviderScores,
  DEFAULT_SLOTS,
  estimatedTtfbMs,
  UNKNOWN_TTFB_MS,
} from '../../../../src-main/gateway/forward/provider-scores.js'

const loads = fc.record({
  inFlight: fc.nat(100),
  slots: fc.integer({ min: 1, max: 32 }),
  othersQueued: fc.nat(100),
  ttfbMs: fc.double({ min: 1, max: 60_000, noNaN: true }),
})

describe('the estimate', () => {
  test('never falls with more work ahead, and never rises with more slots', () => {
    fc.assert(
      fc.property(loads, (load) => {
        const now = estimatedTtfbMs(load)
        expect(estimatedTtfbMs({ ...load, inFlight: load.inFlight + 1 })).toBeGreaterThanOrEqual(now)
        expect(estimatedTtfbMs({ ...load, slots: load.slots + 1 })).toBeLessThanOrEqual(now + 1e-6)
      }),
    )
  })

  test('of an idle peer is what was measured', () => {
    expect(estimatedTtfbMs({ inFlight: 0, slots: 4, othersQueued: 0, ttfbMs: 80 })).toBe(80)
  })
})

describe('the scores', () => {
  test('count requests at work, once each', () => {
    const scores = createProviderScores({ clock: { now: () => 0 } })
    const end = scores.begin('a')
    scores.begin('a')
    expect(scores.load('a').inFlight).toBe(2)
    end(100)
    end(100)
    expect(scores.load('a').inFlight).toBe(1)
  })

  test('follow measurements, and drift back when they get old', () => {
    let now = 0
    const scores = createProviderScores({ clock: { now: () => now } })
    for (let times = 0; times < 20; times += 1) scores.begin('a')(1_000)
    const fresh = scores.load('a').ttfbMs!
    expect(fresh).toBeGreaterThan(900)
    now += 60_000
    expect(scores.load('a').ttfbMs).toBeCloseTo((fresh + UNKNOWN_TTFB_MS) / 2)
    now += 3_600_000
    expect(scores.load('a').ttfbMs).toBeCloseTo(UNKNOWN_TTFB_MS, 0)
  })

  test('do not count this node’s own requests twice in what a peer tells', () => {
    const scores = createProviderScores({ clock: { now: () => 0 }, told: () => ({ slots: 8, queued: 3 }) })
    scores.begin('a')
    expect(scores.load('a')).toMatchObject({ inFlight: 1, othersQueued: 2, slots: 8 })
    expect(createProviderScores({ clock: { now: () => 0 } }).load('b').slots).toBe(DEFAULT_SLOTS)
  })
})
