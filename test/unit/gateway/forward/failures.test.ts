import { describe, expect, test } from 'vitest'
import { allAttemptsFailed, type FailedAttempt, noProvider } from '../../../../src-main/gateway/forward/failures.js'

const tried = (outcome: FailedAttempt['outcome'], retryAfterS?: number): FailedAttempt => ({
  who: `12D3-${outcome}`,
  cause: 'other',
  reason: `because ${outcome}`,
  outcome,
  ...(retryAfterS === undefined ? {} : { retryAfterS }),
})

describe('a list of failed tries', () => {
  test.each([
    [['busy', 'busy'], 'provider_busy', 429],
    [['timed-out'], 'upstream_timeout', 504],
    [['unavailable'], 'no_provider', 503],
    [['busy', 'unavailable'], 'no_provider', 503],
    [['failed'], 'upstream_failed', 502],
    [['busy', 'failed'], 'upstream_failed', 502],
    [['timed-out', 'busy'], 'upstream_failed', 502],
    [[], 'no_provider', 503],
  ] as const)('%j is %s', (outcomes, code, status) => {
    const error = allAttemptsFailed(
      'the model "x"',
      outcomes.map((outcome) => tried(outcome)),
    )
    expect(error.code).toBe(code)
    expect(error.status).toBe(status)
  })

  test('names each peer and its reason', () => {
    const { message } = allAttemptsFailed('the model "x"', [tried('failed'), tried('busy')])
    expect(message).toContain('12D3-failed: because failed; 12D3-busy: because busy')
  })

  test('asks to come back when the first provider may be free', () => {
    expect(allAttemptsFailed('x', [tried('busy', 30), tried('busy', 3)]).retryAfterS).toBe(3)
    expect(allAttemptsFailed('x', [tried('busy')]).retryAfterS).toBe(5)
    expect(allAttemptsFailed('x', []).retryAfterS).toBe(5)
    expect(allAttemptsFailed('x', [tried('failed')]).retryAfterS).toBeUndefined()
  })
})

test('a known but unreachable offer is 503 with a few reasons', () => {
  const error = noProvider('The model "x"', ['a: 1', 'b: 2', 'c: 3', 'd: 4', 'e: 5'])
  expect(error.code).toBe('no_provider')
  expect(error.retryAfterS).toBe(5)
  expect(error.message).toContain('d: 4')
  expect(error.message).not.toContain('e: 5')
})
