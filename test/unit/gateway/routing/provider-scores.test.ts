import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DEFAULT_SLOTS,
  type Estimate,
  estimateOf,
  queueingMs,
} from '../../../../src-main/gateway/routing/estimate/estimate.js'
import { createProviderScores, type ProviderScores } from '../../../../src-main/gateway/routing/provider-scores.js'
import { createTurnableClock } from '../../../fixtures/table-owners.js'

const OFFER = 'llm\0model=m'

function scored() {
  const clock = createTurnableClock(0)
  // Next door: all of a time is the provider's own.
  const scores = createProviderScores({ monotonic: { elapsedMs: () => clock.now() }, roundTripMs: () => 0 })
  /** A whole request: so long to the first byte, so long to the last. */
  const serve = (peerId: string, ttfbMs: number, { answerMs = 0, tokens = 0 } = {}): void => {
    const request = scores.begin(peerId, { offer: OFFER, unreadTokens: tokens })
    clock.turn(ttfbMs)
    request.answered(ttfbMs)
    clock.turn(answerMs)
    request.end()
  }
  const expected = (peerId: string, tokens = 0): Estimate =>
    scores.estimate(peerId, { offer: OFFER, unreadTokens: tokens })
  return { clock, scores, serve, expected }
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

  test('tell what a provider takes for any request from what it takes for each token', () => {
    const { serve, expected } = scored()
    for (let times = 0; times < 20; times += 1) {
      serve('a', 100 + 2_000, { tokens: 1_000 })
      serve('a', 100 + 16_000, { tokens: 8_000 })
      serve('a', 100 + 200, { tokens: 100 })
    }
    expect(expected('a', 4_000).totalMs / 8_100).toBeCloseTo(1, 1)
    expect(expected('a', 0).totalMs).toBeLessThan(200)
  })

  test('order a provider that reads fast and begins slowly by the length of the prompt', () => {
    const { serve, expected } = scored()
    for (let times = 0; times < 10; times += 1) {
      for (const tokens of [200, 20_000]) {
        serve('begins slowly', 800 + tokens / 20, { tokens })
        serve('reads slowly', 20 + tokens / 2, { tokens })
      }
    }
    expect(expected('reads slowly', 300).totalMs).toBeLessThan(expected('begins slowly', 300).totalMs)
    expect(expected('reads slowly', 30_000).totalMs).toBeGreaterThan(expected('begins slowly', 30_000).totalMs)
  })

  test('drift back to what is thought of a stranger when nothing is measured for hours', () => {
    const { clock, scores, serve, expected } = scored()
    for (let times = 0; times < 20; times += 1) serve('a', 30_000)
    const slow = expected('a').totalMs
    clock.turn(6 * 3_600_000)
    serve('a', 50)
    expect(slow).toBeGreaterThan(25_000)
    expect(expected('a').totalMs).toBeLessThan(0.02 * slow)
    expect(scores.load('a').inFlight).toBe(0)
  })

  test('know little of a provider until it was measured three times, and again when that was ten minutes ago', () => {
    const { clock, scores, serve } = scored()
    const isLittle = (): boolean => scores.isLittleKnown('a', OFFER)
    const seen = [isLittle()]
    for (let times = 0; times < 3; times += 1) {
      serve('a', 100)
      seen.push(isLittle())
    }
    expect(seen).toEqual([true, true, true, false])
    clock.turn(10 * 60_000)
    expect(isLittle()).toBe(true)
    serve('a', 100)
    expect(isLittle()).toBe(false)
    expect(scores.isLittleKnown('a', 'another model')).toBe(true)
  })

  test('learn that a provider turned slow from three requests, and that it is fast again from a handful', () => {
    const { serve, expected } = scored()
    for (let times = 0; times < 30; times += 1) serve('a', 400, { tokens: 1_000 })
    for (let times = 0; times < 3; times += 1) serve('a', 4_800, { tokens: 1_000 })
    expect(expected('a', 1_000).totalMs).toBeGreaterThan(1_600)
    for (let times = 0; times < 8; times += 1) serve('a', 400, { tokens: 1_000 })
    expect(expected('a', 1_000).totalMs).toBeLessThan(800)
  })

  test('learn the time to the first byte at the first byte, not when a long answer is over', () => {
    const { clock, scores, expected } = scored()
    const request = scores.begin('a', { offer: OFFER, unreadTokens: 0 })
    clock.turn(700)
    request.answered(700)
    expect(expected('a').fixedMs).toBeGreaterThan(600)
    clock.turn(30_000)
    request.end()
    expect(scores.load('a').holdMs).toBe(30_700)
  })

  test('take the expected wait for a slot out of what was measured', () => {
    const { clock, scores, serve, expected } = scored()
    scores.reported('a', { slots: 1, queued: 0 })
    serve('a', 100, { answerMs: 900 })
    const ahead = scores.begin('a', { offer: OFFER, unreadTokens: 0 })
    const behind = scores.begin('a', { offer: OFFER, unreadTokens: 0 })
    clock.turn(1_000)
    ahead.answered(100)
    ahead.end()
    behind.answered(1_100)
    behind.end()
    expect(expected('a').fixedMs).toBeLessThan(150)
  })

  test('know that a peer hangs before it answers, and forget it when the request is over', () => {
    const { clock, scores } = scored()
    const request = scores.begin('a')
    clock.turn(4_000)
    expect(scores.load('a').waitingMs).toBe(4_000)
    expect(scores.estimate('a').totalMs).toBe(4_000)
    expect(scores.estimate('a').hangMs).toBeGreaterThan(3_000)
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

  test('count this node’s own requests that had not reached a peer when it told its load beside what it told', () => {
    const clock = createTurnableClock(0)
    const scores = createProviderScores({ monotonic: { elapsedMs: () => clock.now() }, roundTripMs: () => 100 })
    scores.begin('a')
    clock.turn(5_000)
    scores.begin('a')
    scores.begin('a')
    clock.turn(80)
    // One of its four is this node's; two of this node's are not among them yet.
    scores.reported('a', { slots: 8, queued: 4 })
    expect(scores.load('a')).toMatchObject({ inFlight: 3, othersQueued: 3 })
    clock.turn(100)
    scores.reported('a', { slots: 8, queued: 6 })
    expect(scores.load('a')).toMatchObject({ inFlight: 3, othersQueued: 3 })
  })

  test('a report counts for about as long as a request has a slot: after that a peer is as busy as it usually is', () => {
    const { clock, scores, serve } = scored()
    for (let times = 0; times < 40; times += 1) {
      serve('a', 100, { answerMs: 1_900 })
      scores.reported('a', { slots: 4, queued: 2 })
    }
    const othersNow = (): number => scores.load('a').othersQueued
    scores.reported('a', { slots: 4, queued: 12 })
    expect(othersNow()).toBe(12)
    clock.turn(2_000)
    expect(othersNow()).toBeLessThan(7)
    clock.turn(8_000)
    expect(othersNow()).toBeGreaterThan(2)
    expect(othersNow()).toBeLessThan(3.5)
    scores.reported('a', { slots: 4, queued: 0 })
    expect(othersNow()).toBe(0)
    clock.turn(8_000)
    expect(othersNow()).toBeGreaterThan(1.5)
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
    expect(scores.estimate('a').totalMs).toBeGreaterThan(2_500)
    expect(scores.refusedLately('a')).toBe(false)
  })

  test('a peer that is left sooner than it usually answers is thought no worse of', () => {
    const { clock, scores, serve, expected } = scored()
    serve('a', 5_000)
    const before = expected('a').fixedMs
    const attempt = scores.begin('a', { offer: OFFER, unreadTokens: 0 })
    clock.turn(1_000)
    attempt.left(20_000)
    attempt.end()
    expect(expected('a').fixedMs).toBe(before)
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
  holdMs: times,
  waitingMs: fc.constantFrom(0, 500),
  rttMs: fc.constantFrom(0, 50),
})
const paces = fc.record({ fixedMs: times, perThousandMs: times, spread: fc.constant(0) })
const idle = { inFlight: 0, slots: 4, othersQueued: 0, holdMs: 2_080, waitingMs: 0, rttMs: 0 }
/** Tokens of a prompt that takes longer to read than any answer takes. */
const LONG = 1e9
const PACE = { fixedMs: 80, perThousandMs: 100, spread: 0 }

describe('the estimate', () => {
  test('never falls with more work ahead or a longer prompt, and never rises with more slots', () => {
    fc.assert(
      fc.property(loads, paces, fc.nat(100_000), (load, pace, tokens) => {
        const now = estimateOf(load, pace, tokens).totalMs
        expect(estimateOf({ ...load, inFlight: load.inFlight + 1 }, pace, tokens).totalMs).toBeGreaterThanOrEqual(now)
        expect(estimateOf(load, pace, tokens + 1).totalMs).toBeGreaterThanOrEqual(now)
        expect(estimateOf({ ...load, slots: load.slots + 1 }, pace, tokens).totalMs).toBeLessThanOrEqual(now + 1e-6)
      }),
    )
  })

  test('is the sum of its causes', () => {
    fc.assert(
      fc.property(loads, paces, fc.nat(100_000), (load, pace, tokens) => {
        const { rttMs, fixedMs, readMs, queueMs, hangMs, totalMs } = estimateOf(load, pace, tokens)
        expect(rttMs + fixedMs + readMs + queueMs + hangMs).toBeCloseTo(totalMs)
        expect(Math.min(rttMs, fixedMs, readMs, queueMs, hangMs)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('of an idle peer is what was measured, for the tokens it has not read', () => {
    expect(estimateOf(idle, PACE, 0).totalMs).toBe(80)
    expect(estimateOf(idle, PACE, 2_000).totalMs).toBe(280)
  })

  test('counts the wait for a slot in whole answers, not in first bytes', () => {
    expect(queueingMs({ ...idle, inFlight: 3 })).toBe(0)
    expect(queueingMs({ ...idle, inFlight: 4 })).toBe(2_080 / 4)
    expect(queueingMs({ ...idle, inFlight: 2, othersQueued: 5 })).toBe(4 * (2_080 / 4))
  })

  test('tells what others lose by a slot: more of a full provider, little of an idle one, nothing by its word that it has many', () => {
    fc.assert(
      fc.property(loads, paces, (load, pace) => {
        const lost = estimateOf(load, pace, LONG).othersMs
        expect(estimateOf({ ...load, inFlight: load.inFlight + 1 }, pace, LONG).othersMs).toBeGreaterThanOrEqual(lost)
        expect(estimateOf({ ...load, slots: 1_000 }, pace, LONG).othersMs).toBe(
          estimateOf({ ...load, slots: DEFAULT_SLOTS }, pace, LONG).othersMs,
        )
        expect(lost).toBeLessThanOrEqual(load.holdMs)
      }),
    )
    expect(estimateOf(idle, PACE, LONG).othersMs).toBeCloseTo(2_080 / 4 / 16)
    // A short one gives no more than its own wait.
    expect(estimateOf({ ...idle, inFlight: 3 }, PACE, 0).othersMs).toBeLessThan(150)
  })

  test('is at least what a request that waits there now has waited', () => {
    expect(estimateOf({ ...idle, inFlight: 1, waitingMs: 9_000 }, PACE, 0).totalMs).toBe(9_000)
  })
})
