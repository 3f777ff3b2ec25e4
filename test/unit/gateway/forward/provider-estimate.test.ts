import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimatedTtfbMs, queueingMs } from '../../../../src-main/gateway/routing/provider-scores.js'

const times = fc.double({ min: 1, max: 60_000, noNaN: true })
const loads = fc.record({
  inFlight: fc.nat(100),
  slots: fc.integer({ min: 1, max: 32 }),
  othersQueued: fc.nat(100),
  ttfbMs: times,
  answerMs: fc.option(times, { nil: undefined }),
  silentMs: fc.constantFrom(0, 500),
})
const idle = { inFlight: 0, slots: 4, othersQueued: 0, ttfbMs: 80, answerMs: 2_000, silentMs: 0 }

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
    expect(estimatedTtfbMs(idle)).toBe(80)
  })

  test('counts the wait for a slot in whole answers, not in first bytes', () => {
    expect(queueingMs({ ...idle, inFlight: 3 })).toBe(0)
    expect(queueingMs({ ...idle, inFlight: 4 })).toBe((80 + 2_000) / 4)
    expect(queueingMs({ ...idle, inFlight: 2, othersQueued: 5 })).toBe(4 * ((80 + 2_000) / 4))
  })

  test('is at least what a request that waits there now has waited', () => {
    expect(estimatedTtfbMs({ ...idle, inFlight: 1, silentMs: 9_000 })).toBe(9_000)
  })
})
