import { expect, test } from 'vitest'
import type { Limits } from '#shared/limits.js'
import {
  checkLimits,
  limitChanges,
  writeLimits,
} from '../../../../../../src-renderer/features/share/limits/limits-form.js'
import { DEFAULT_LIMITS } from '../../../../../fixtures/default-limits.js'

test('the limits form sends only changed limits and refuses invalid ones', () => {
  const limits: Limits = { ...DEFAULT_LIMITS, maxBodyBytes: 64 * 1024 * 1024, blockedPeers: ['bob'] }
  const text = writeLimits(limits)
  expect(limitChanges(limits, text)).toBeUndefined()
  expect(limitChanges(limits, { ...text, queueTimeMs: '5', blockedPeers: 'bob\n carol ' })).toEqual({
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
