import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createProviderScores,
  type ProviderScores,
  DEFAULT_SLOTS,
  estimatedTtfbMs,
  queueingMs,
  UNKNOWN_TTFB_MS,
} from '../../../../src-main/gateway/routing/provider-scores.js'
import { createTurnableClock } from '../../../fixtures/table-owners.js'

function scored() {
  const clock = createTurnableClock(0)
  const scores = createProviderScores({ monotonic: { elapsedMs: () => clock.now() } })
  /** A whole request: so long to the first byte, so long to the last. */
  const serve = (peerId: string, ttfbMs: number, answerMs = 0): void => {
    const request = scores.begin(peerId)
    clock.turn(ttfbMs)
    request.answered(ttfbMs)
    clock.turn(answerMs)
    request.end()
  }
  return { clock, scores, serve }
}

describe('the scores', () => {
  test('count requests at work, once each', () => {
    const { scores } = scored()
    const request = scores.begin('a')
    scores.begin('a')
    expect(scores.load('a').inFlight).toBe(2)
    request.end()
    request.end()
    expect(scores.load('a').inFlight).toBe(1)
  })

  test('follow measurements, and drift back when they get old', () => {
    const { clock, scores, serve } = scored()
    for (let times = 0; times < 20; times += 1) serve('a', 1_000)
    const fresh = scores.load('a').ttfbMs!
    expect(fresh).toBeGreaterThan(900)
    clock.turn(60_000)
    expect(scores.load('a').ttfbMs).toBeCloseTo((fresh + UNKNOWN_TTFB_MS) / 2)
    clock.turn(3_600_000)
    expect(scores.load('a').ttfbMs).toBeCloseTo(UNKNOWN_TTFB_MS, 0)
  })

  test('learn the time to the first byte at the first byte, not when a long answer is over', () => {
    const { clock, scores } = scored()
    const request = scores.begin('a')
    clock.turn(700)
    request.answered(700)
    expect(scores.load('a').ttfbMs).toBe(700)
    clock.turn(30_000)
    request.end()
    expect(scores.load('a').answerMs).toBe(30_000)
  })

  test('take the expected wait for a slot out of what was measured', () => {
    const { clock, scores, serve } = scored()
    scores.reported('a', { slots: 1, queued: 0 })
    serve('a', 100, 900)
    const ahead = scores.begin('a')
    const behind = scores.begin('a')
    clock.turn(1_000)
    ahead.answered(100)
    ahead.end()
    behind.answered(1_100)
    expect(scores.load('a').ttfbMs).toBeLessThan(150)
  })

  test('know that a peer hangs before it answers, and forget it when the request is over', () => {
    const { clock, scores } = scored()
    const request = scores.begin('a')
    clock.turn(4_000)
    expect(scores.load('a').waitingMs).toBe(4_000)
    expect(estimatedTtfbMs(scores.load('a'))).toBe(4_000)
    request.end()
    expect(scores.load('a').waitingMs).toBe(0)
  })

  test('do not count this node’s own requests twice in what a peer tells, whenever it told it', () => {
    const { clock, scores } = scored()
    const request = scores.begin('a')
    scores.reported('a', { slots: 8, queued: 3 })
    expect(scores.load('a')).toMatchObject({ inFlight: 1, othersQueued: 2, slots: 8 })
    request.end()
    expect(scores.load('a')).toMatchObject({ inFlight: 0, othersQueued: 2 })
    clock.turn(31_000)
    expect(scores.load('a')).toMatchObject({ othersQueued: 0, slots: 8 })
    expect(scores.load('b').slots).toBe(DEFAULT_SLOTS)
  })

  /** What becomes of one request there. */
  function request(scores: ProviderScores, outcome: 'answer' | number): void {
    const attempt = scores.begin('a')
    if (outcome === 'answer') attempt.answered(50)
    else attempt.refused(outcome)
    attempt.end()
  }

  test('remember for a moment that a peer was full, where it answers otherwise and says that it is', () => {
    const { clock, scores } = scored()
    request(scores, 'answer')
    scores.reported('a', { slots: 1, queued: 1 })
    expect(scores.refusedLately('a')).toBe(false)
    request(scores, 5_000)
    expect(scores.refusedLately('a')).toBe(true)
    clock.turn(5_000)
    expect(scores.refusedLately('a')).toBe(false)
    request(scores, 3_600_000)
    clock.turn(10_000)
    expect(scores.refusedLately('a')).toBe(false)
  })

  test('leave a peer that refuses and never answered alone for longer each time, whatever it says itself', () => {
    const { clock, scores } = scored()
    for (const backOffMs of [10_000, 20_000, 40_000, 80_000]) {
      request(scores, 0)
      clock.turn(backOffMs - 1)
      expect(scores.refusedLately('a')).toBe(true)
      clock.turn(1)
      expect(scores.refusedLately('a')).toBe(false)
    }
  })

  test('leave a peer that refuses although it says that it has room alone like one that never answered', () => {
    const { clock, scores } = scored()
    request(scores, 'answer')
    scores.reported('a', { slots: 4, queued: 0 })
    request(scores, 0)
    clock.turn(9_999)
    expect(scores.refusedLately('a')).toBe(true)
  })

  test('forgive refusals once the peer answers', () => {
    const { clock, scores } = scored()
    request(scores, 0)
    request(scores, 0)
    clock.turn(20_000)
    request(scores, 'answer')
    scores.reported('a', { slots: 1, queued: 1 })
    request(scores, 0)
    clock.turn(2_000)
    expect(scores.refusedLately('a')).toBe(false)
  })

  test('a peer that is left before it should have answered is known to take at least so long, and is not avoided', () => {
    const { clock, scores } = scored()
    const attempt = scores.begin('a')
    clock.turn(3_000)
    attempt.left(8_000)
    attempt.end()
    expect(scores.load('a').ttfbMs).toBe(3_000)
    expect(scores.refusedLately('a')).toBe(false)
  })

  test('a peer that is left sooner than it usually answers is thought no worse of', () => {
    const { clock, scores, serve } = scored()
    serve('a', 5_000)
    const attempt = scores.begin('a')
    clock.turn(1_000)
    const before = scores.load('a').ttfbMs
    attempt.left(20_000)
    attempt.end()
    expect(scores.load('a').ttfbMs).toBe(before)
  })

  test('a peer that keeps answers waiting is left alone for longer each time, though its answers begin well', () => {
    const { clock, scores, serve } = scored()
    serve('a', 50)
    scores.reported('a', { slots: 1, queued: 1 })
    for (const backOffMs of [10_000, 20_000, 40_000, 80_000]) {
      const attempt = scores.begin('a')
      attempt.answered(50)
      attempt.stalled()
      attempt.end()
      clock.turn(backOffMs - 1)
      expect(scores.refusedLately('a')).toBe(true)
      clock.turn(1)
      expect(scores.refusedLately('a')).toBe(false)
    }
    serve('a', 50)
    const attempt = scores.begin('a')
    clock.turn(9_000)
    attempt.left(8_000)
    clock.turn(9_999)
    expect(scores.refusedLately('a')).toBe(true)
    clock.turn(1)
    expect(scores.refusedLately('a')).toBe(false)
  })

  test('send one request at a time to a peer that has never answered', () => {
    const { scores } = scored()
    const first = scores.begin('a')
    expect(scores.refusedLately('a')).toBe(true)
    first.answered(900)
    expect(scores.refusedLately('a')).toBe(false)
  })
})

const times = fc.double({ min: 1, max: 60_000, noNaN: true })
const loads = fc.record({
  inFlight: fc.nat(100),
  slots: fc.integer({ min: 1, max: 32 }),
  othersQueued: fc.nat(100),
  ttfbMs: times,
  answerMs: fc.option(times, { nil: undefined }),
  waitingMs: fc.constantFrom(0, 500),
})
const idle = { inFlight: 0, slots: 4, othersQueued: 0, ttfbMs: 80, answerMs: 2_000, waitingMs: 0 }

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
    expect(estimatedTtfbMs({ ...idle, inFlight: 1, waitingMs: 9_000 })).toBe(9_000)
  })
})
