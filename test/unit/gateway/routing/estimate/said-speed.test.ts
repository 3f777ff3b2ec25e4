import { expect, test } from 'vitest'
import type { Estimate } from '../../../../../src-main/gateway/routing/estimate/estimate.js'
import { createProviderScores } from '../../../../../src-main/gateway/routing/provider-scores.js'

const OFFER = 'llm\0model=m'
/** What the owners of two of them measured. */
const SAID = new Map([
  ['slow', { promptMsPer1000: 4_000, tokensPerS: 5 }],
  ['boaster', { promptMsPer1000: 0.001, tokensPerS: 1e6 }],
])

function scored() {
  let nowMs = 0
  const scores = createProviderScores({
    monotonic: { elapsedMs: () => nowMs },
    // Next door: all of a time is the provider's own.
    roundTripMs: () => 0,
    saidSpeed: (peerId) => SAID.get(peerId),
  })
  const expected = (peerId: string): Estimate => scores.estimate(peerId, { offer: OFFER, unreadTokens: 2_000 })
  const answers = (peerId: string, tookMs: number): void => {
    const request = scores.begin(peerId, { offer: OFFER, unreadTokens: 2_000 })
    nowMs += tookMs
    request.answered(tookMs)
    request.end()
  }
  return { scores, expected, answers }
}

test('makes a provider that nobody asked yet slower, and never faster than one that says nothing', () => {
  const { expected, scores } = scored()
  const silent = expected('silent')
  expect(expected('slow').readMs).toBeGreaterThanOrEqual(8_000)
  expect(expected('slow').othersMs).toBeGreaterThan(silent.othersMs)
  expect(expected('boaster')).toEqual(silent)
  const compared = scores.comparing(OFFER)
  expect(compared('boaster', 2_000).ms).toBe(compared('silent', 2_000).ms)
  expect(compared('slow', 2_000).ms).toBeGreaterThan(2 * compared('silent', 2_000).ms)
  // A word is no measurement.
  expect(scores.measurements('slow', OFFER)).toBe(0)
  expect(scores.isLittleKnown('slow', OFFER)).toBe(true)
  expect(scores.learned(0)).toEqual([])
})

test('holds while the first request is there, and gives way to what was measured', () => {
  const { scores, answers, expected } = scored()
  const request = scores.begin('slow', { offer: OFFER, unreadTokens: 2_000 })
  expect(expected('slow').readMs).toBeGreaterThanOrEqual(8_000)
  request.answered(400)
  request.end()
  expect(expected('slow').totalMs).toBeLessThan(500)
  for (let times = 0; times < 3; times += 1) answers('boaster', 9_000)
  expect(expected('boaster').totalMs).toBeGreaterThan(8_000)
})
