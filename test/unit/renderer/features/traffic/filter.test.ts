import { expect, test } from 'vitest'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { filterTraffic, SHOW_ALL } from '../../../../../src-renderer/features/traffic/filter.js'

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

test('traffic is filtered by direction, outcome and text, newest first', () => {
  const failed = { ...ENTRY, id: 'failed', status: 404, error: 'model_not_found' }
  const cancelled: TrafficEntry = { ...ENTRY, id: 'cancelled', cancelledBy: 'client', direction: 'in' }
  const running = { ...ENTRY, id: 'running', status: null, durationMs: null }
  const idsOf = (change: object): string[] =>
    filterTraffic([ENTRY, failed, cancelled, running], { ...SHOW_ALL, ...change }).map(({ id }) => id)
  expect(idsOf({})).toEqual(['running', 'cancelled', 'failed', 'r'])
  expect(idsOf({ outcome: 'failed' })).toEqual(['failed'])
  expect(idsOf({ direction: 'in' })).toEqual(['cancelled'])
  expect(idsOf({ text: 'No one offers' })).toEqual(['failed'])
})
