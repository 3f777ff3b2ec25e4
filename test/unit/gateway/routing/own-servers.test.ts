import { expect, test } from 'vitest'
import { byLoad } from '../../../../src-main/gateway/routing/own-servers.js'
import { createProviderScores } from '../../../../src-main/gateway/routing/provider-scores.js'
import type { LocalService } from '../../../../src-main/services/index.js'

const servers = ['a', 'b', 'c'].map((id) => ({ id }) as LocalService)

function start() {
  const time = { ms: 0 }
  const scores = createProviderScores({ monotonic: { elapsedMs: () => time.ms } })
  const order = (): string[] => byLoad(scores, servers).map(({ id }) => id)
  /** A request that was answered after so long. */
  const answered = (id: string, ttfbMs: number): void => {
    const attempt = scores.begin(id)
    attempt.answered(ttfbMs)
    attempt.end()
  }
  return { scores, order, answered, time }
}

test('own servers of which nothing is known are asked in the order they are registered in', () => {
  expect(start().order()).toEqual(['a', 'b', 'c'])
})

test('the own server with the fewest requests at work is asked first, however fast the others are', () => {
  const { scores, order, answered } = start()
  for (const id of ['a', 'b', 'c']) answered(id, id === 'a' ? 10 : 500)
  scores.begin('a')
  scores.begin('a')
  scores.begin('b')
  expect(order()).toEqual(['c', 'b', 'a'])
})

test('of own servers with as many requests at work the one measured fastest is asked first', () => {
  const { order, answered } = start()
  for (const [id, ms] of [
    ['a', 400],
    ['b', 20],
    ['c', 90],
  ] as const)
    answered(id, ms)
  expect(order()).toEqual(['b', 'c', 'a'])
})

test('an own server that refused a moment ago is asked last, and first again later', () => {
  const { scores, order, answered, time } = start()
  for (const id of ['a', 'b', 'c']) answered(id, 100)
  const attempt = scores.begin('a')
  attempt.refused()
  attempt.end()
  expect(order()).toEqual(['b', 'c', 'a'])
  time.ms += 60_000
  expect(order()[0]).toBe('a')
})
