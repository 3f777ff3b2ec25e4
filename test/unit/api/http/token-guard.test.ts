import { expect, test } from 'vitest'
import { createTokenGuard } from '../../../../src-main/api/http/token-guard.js'
import { monotonicClock } from '../../../../src-main/base/clock.js'

test('every start has its own token of 32 random bytes', () => {
  const tokens = [1, 2, 3].map(() => createTokenGuard({ monotonic: monotonicClock }).token)
  expect(new Set(tokens).size).toBe(3)
  for (const token of tokens) expect(Buffer.from(token, 'base64url')).toHaveLength(32)
})

test('wrong tokens are counted for a minute', () => {
  let nowMs = 0
  const guard = createTokenGuard({ monotonic: { elapsedMs: () => nowMs } })
  const attempt = (token: string | undefined): string => {
    try {
      guard.assert(token)
      return 'passed'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  for (let i = 0; i < 20; i++) expect(attempt('wrong')).toBe('unauthorized')
  expect(attempt(undefined)).toBe('rate_limited')
  expect(attempt(guard.token)).toBe('passed')
  expect(attempt(`${guard.token}x`)).toBe('rate_limited')
  nowMs = 60_000
  expect(attempt('wrong')).toBe('unauthorized')
})
