import { expect, test } from 'vitest'
import type { Limits } from '#shared/contract/limits.js'
import {
  checkLimits,
  limitChanges,
  writeLimits,
} from '../../../../../../src-renderer/features/share/limits/limits-form.js'

test('the limits form sends only changed limits and refuses invalid ones', () => {
  const limits: Limits = {
    concurrent: 4,
    queue: 16,
    queueTimeMs: 10_000,
    requestsPerMinute: 0,
    maxBodyBytes: 64 * 1024 * 1024,
    maxTokens: 0,
    allowedPeers: [],
    blockedPeers: ['bob'],
  }
  const text = writeLimits(limits)
  expect(limitChanges(limits, text)).toBeUndefined()
  expect(limitChanges(limits, { ...text, queueSeconds: '5', blockedPeers: 'bob\n carol ' })).toEqual({
    queueTimeMs: 5000,
    blockedPeers: ['bob', 'carol'],
  })
  expect(checkLimits(text)).toEqual({})
  expect(Object.keys(checkLimits({ ...text, concurrent: '-1', queue: '1.5', maxTokens: '' }))).toEqual([
    'concurrent',
    'queue',
    'maxTokens',
  ])
})
