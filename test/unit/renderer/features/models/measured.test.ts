import { expect, test } from 'vitest'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { measuredOf } from '../../../../../src-renderer/features/models/measured.js'

const ENTRY: TrafficEntry = {
  id: 'r',
  atMs: 0,
  direction: 'out',
  service: 'llm',
  method: 'POST',
  route: '/v1/chat/completions',
  model: 'm',
  peer: 'alice',
  key: null,
  path: 'direct-tcp',
  tries: 1,
  legs: [],
  candidates: 1,
  considered: [],
  status: 200,
  error: null,
  ttfbMs: 100,
  durationMs: 1100,
  bytesIn: 0,
  bytesOut: 0,
  tokens: 50,
  tokensFrom: 'usage',
  tokensIn: null,
  cancelledBy: null,
}

test('measured times are the median of the answered requests', () => {
  const entries = [100, 300, 200].map((ttfbMs) => ({ ...ENTRY, ttfbMs, durationMs: ttfbMs + 1000 }))
  expect(measuredOf(entries, { model: 'm' })).toEqual({ ttftMs: 200, tokensPerSecond: 50 })
  expect(measuredOf([...entries, { ...ENTRY, status: 502, ttfbMs: 9 }], { model: 'm' }).ttftMs).toBe(200)
  expect(measuredOf(entries, { model: 'm', peer: 'bob' })).toEqual({ ttftMs: null, tokensPerSecond: null })
  expect(measuredOf([{ ...ENTRY, direction: 'in' }], { model: 'm' }).ttftMs).toBeNull()
})
