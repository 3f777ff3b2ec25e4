import { describe, expect, test } from 'vitest'
import type { Provider } from '../../../../../src-main/gateway/routing/choose-providers.js'
import { Hedging } from '../../../../../src-main/gateway/routing/estimate/hedging.js'
import type { RequestWork } from '../../../../../src-main/gateway/routing/estimate/request-work.js'
import { createProviderScores } from '../../../../../src-main/gateway/routing/provider-scores.js'
import { createWorks, workWithoutPrompt } from '../../../../fixtures/request-work.js'
import { createRandom, createTurnableClock } from '../../../../fixtures/table-owners.js'

const WORK = workWithoutPrompt('llm')
const B: Provider = { kind: 'peer', peerId: 'b' }

function hedged(trusted: string[] = []) {
  const clock = createTurnableClock(0)
  const scores = createProviderScores({ monotonic: { elapsedMs: () => clock.now() }, roundTripMs: () => 10 })
  const hedging = new Hedging({ scores, reach: { isTrusted: (peerId) => trusted.includes(peerId) } })
  const serve = (peerId: string, ttfbMs: number): void => {
    const attempt = scores.begin(peerId, WORK.at(peerId))
    clock.turn(ttfbMs)
    attempt.answered(ttfbMs)
    attempt.end()
    clock.turn(1_000)
  }
  return { hedging, serve, scores }
}

describe('a second attempt for the sake of speed', () => {
  test('is made at most once for every twenty requests, however late all of them are', () => {
    const { hedging, serve } = hedged()
    serve('a', 100)
    serve('b', 100)
    let made = 0
    for (let count = 1; count <= 1_000; count += 1) {
      hedging.lateAfterMs('a', WORK)
      if (hedging.takes(B, WORK, 1_000)) made += 1
      expect(made).toBeLessThanOrEqual(0.05 * count + 1e-9)
    }
    expect(made).toBeGreaterThan(45)
  })

  test('is no more than two at once after a long time in which none was late', () => {
    const { hedging } = hedged(['a', 'b'])
    for (let count = 0; count < 1_000; count += 1) hedging.lateAfterMs('a', WORK)
    const take = (): boolean => hedging.takes(B, WORK, 1_000)
    expect([take(), take(), take()]).toEqual([true, true, false])
  })

  test('is made for one token in twenty at most, so that long prompts, which are late more often, take no more than that', () => {
    const { hedging } = hedged(['a', 'b'])
    const works = createWorks()
    const [short, long] = [20, 12_000].map((words, at) =>
      works({ model: 'm', messages: [{ role: 'user', content: `${at} word `.repeat(words) }] }),
    ) as [RequestWork, RequestWork]
    let [tokens, again] = [0, 0]
    for (let count = 0; count < 400; count += 1) {
      // Nine of ten are short, and the long ones alone are late.
      const work = count % 10 === 0 ? long : short
      hedging.lateAfterMs('a', work)
      tokens += 500 + work.unreadTokens('a')
      if (work === long && hedging.takes(B, long, 1e6)) again += 500 + long.unreadTokens('b')
      expect(again).toBeLessThanOrEqual(0.05 * tokens + 1)
    }
    expect(again).toBeGreaterThan(0)
  })

  test('comes later at a provider whose times spread widely, and after about 95 of 100 first tokens', () => {
    const random = createRandom(3)
    const times = (spread: number): number => 2_000 * (1 + spread * (random() + random() - 1))
    for (const spread of [0.2, 0.9]) {
      const { hedging, serve } = hedged()
      let late = 0
      for (let count = 0; count < 400; count += 1) {
        const tookMs = times(spread)
        if (count > 20 && tookMs > (hedging.lateAfterMs('a', WORK) ?? Number.NaN)) late += 1
        serve('a', tookMs)
      }
      expect(late / 380).toBeGreaterThan(0)
      expect(late / 380).toBeLessThan(0.1)
    }
    const [steady, uneven] = [hedged(), hedged()]
    for (let count = 0; count < 40; count += 1) {
      steady.serve('a', 2_000)
      uneven.serve('a', times(0.9))
    }
    expect(uneven.hedging.lateAfterMs('a', WORK)).toBeGreaterThan(1.3 * (steady.hedging.lateAfterMs('a', WORK) ?? 0))
  })

  test('is made at those alone who are trusted or were measured, have not refused a moment ago, and are expected to be sooner', () => {
    const { hedging, serve, scores } = hedged(['friend'])
    serve('measured', 100)
    serve('slow', 5_000)
    serve('full', 100)
    scores.begin('full', WORK.at('full')).refused()
    for (let count = 0; count < 100; count += 1) hedging.lateAfterMs('measured', WORK)
    const takes = (peerId: string): boolean => hedging.takes({ kind: 'peer', peerId }, WORK, 1_000)
    expect(['stranger', 'full', 'slow', 'friend', 'measured'].map(takes)).toEqual([false, false, false, true, true])
    expect(hedging.takes({ kind: 'self', serviceId: 'own' }, WORK, 1_000)).toBe(false)
    expect(hedging.lateAfterMs('stranger', WORK)).toBeUndefined()
    expect(hedging.lateAfterMs('friend', WORK)).toBeGreaterThan(0)
  })
})
