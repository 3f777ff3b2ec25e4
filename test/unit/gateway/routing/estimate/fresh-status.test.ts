import { describe, expect, test } from 'vitest'
import type { Provider } from '../../../../../src-main/gateway/routing/choose-providers.js'
import { type Estimate, estimateOf, STRANGER_LOAD } from '../../../../../src-main/gateway/routing/estimate/estimate.js'
import { FreshStatus } from '../../../../../src-main/gateway/routing/estimate/fresh-status.js'
import { workWithoutPrompt } from '../../../../fixtures/request-work.js'

const CANDIDATES: Provider[] = ['a', 'b', 'c'].map((peerId) => ({ kind: 'peer', peerId }))
const WORK = workWithoutPrompt('llm\0model=m')

/** Candidates that are `rttMs` away, take `totalMs`, and told of their load `ageMs` ago. */
function network(given: { totalMs?: number; rttMs?: number; ageMs?: number | undefined } = {}) {
  const { totalMs, rttMs, ageMs } = { totalMs: 10_000, rttMs: 20, ageMs: 2_000, ...given }
  const asked: string[] = []
  const answers: PromiseWithResolvers<never>[] = []
  const estimate: Estimate = {
    ...estimateOf(STRANGER_LOAD, { fixedMs: 0, perThousandMs: 0, spread: 0 }, 0),
    totalMs,
    rttMs,
  }
  const fresh = new FreshStatus({
    status: {
      refresh(peerId) {
        asked.push(peerId)
        const answer = Promise.withResolvers<never>()
        answers.push(answer)
        return answer.promise
      },
    },
    scores: { estimate: () => estimate, reportAgeMs: () => ageMs },
  })
  return { asked, answers, fresh }
}

describe('the load of the best candidates', () => {
  test('is asked of all of them before a long request, which waits for their answers', async () => {
    const { asked, answers, fresh } = network()
    const waiting = fresh.ask(CANDIDATES, WORK)
    expect(asked).toEqual(['a', 'b', 'c'])
    for (const { resolve } of answers) resolve(undefined as never)
    await waiting
  })

  test.each<[string, Parameters<typeof network>[0]]>([
    ['for a request that is short', { totalMs: 200 }],
    ['where they told it a moment ago', { ageMs: 400 }],
    ['where they never told any', { ageMs: undefined }],
    ['where the way to them is too long', { rttMs: 400 }],
  ])('is not asked %s', (_why, given) => {
    const { asked, fresh } = network(given)
    expect(fresh.ask(CANDIDATES, WORK)).toBeUndefined()
    expect(asked).toEqual([])
  })

  test('is asked for one request at a time: others go by what is known', async () => {
    const { asked, answers, fresh } = network()
    const waiting = fresh.ask(CANDIDATES, WORK)
    expect(fresh.ask(CANDIDATES, WORK)).toBeUndefined()
    expect(asked).toHaveLength(3)
    for (const { resolve } of answers) resolve(undefined as never)
    await waiting
    expect(fresh.ask(CANDIDATES, WORK)).toBeInstanceOf(Promise)
  })

  test('is waited for no longer than a small part of what the request takes', async () => {
    await expect(network({ totalMs: 1_000 }).fresh.ask(CANDIDATES, WORK)).resolves.toBeUndefined()
  })

  test('is not asked where this node comes first, or nobody else is there', () => {
    const { asked, fresh } = network()
    expect(fresh.ask([{ kind: 'self', serviceId: 's' }, ...CANDIDATES], WORK)).toBeUndefined()
    expect(fresh.ask(CANDIDATES.slice(0, 1), WORK)).toBeUndefined()
    expect(asked).toEqual([])
  })
})
