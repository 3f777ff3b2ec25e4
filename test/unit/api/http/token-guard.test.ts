import { expect, test } from 'vitest'
import { createTokenGuard } from '../../../../src-main/api/http/token-guard.js'

test('wrong tokens are counted for a minute', () => {
  let nowMs = 0
  const guard = createTokenGuard({ monotonic: { elapsedMs: () => nowMs }, token: () => 'right' })
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
  expect(attempt('right')).toBe('passed')
  expect(attempt('rightx')).toBe('rate_limited')
  nowMs = 60_000
  expect(attempt('wrong')).toBe('unauthorized')
})

test('the token that counts now is the one that passes', () => {
  let token = 'old'
  const guard = createTokenGuard({ monotonic: { elapsedMs: () => 0 }, token: () => token })
  guard.assert('old')
  token = 'new'
  guard.assert('new')
  expect(() => guard.assert('old')).toThrow('`ocf open`')
})
