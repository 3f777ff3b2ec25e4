import { describe, expect, test } from 'vitest'
import type { DetectedModel } from '#shared/contract/detection.js'
import type { ShareView } from '#shared/contract/shares.js'
import type { TrafficEntry } from '#shared/contract/traffic.js'
import type { Limits } from '#shared/limits.js'
import { measuredOf } from '../../../src-renderer/features/models/measured.js'
import { choose, headersFor } from '../../../src-renderer/features/models/preferences.js'
import { checkLimits, limitChanges, writeLimits } from '../../../src-renderer/features/share/limits-form.js'
import { readAddress } from '../../../src-renderer/features/share/read-address.js'
import { firstTicks, tickedIds, ticksDiffer, toggleTick } from '../../../src-renderer/features/share/ticks.js'
import { filterTraffic, SHOW_ALL } from '../../../src-renderer/features/traffic/filter.js'
import { matchCommands, type Command } from '../../../src-renderer/frame/match-commands.js'
import { sparkPath } from '../../../src-renderer/ui/spark-path.js'
import { DEFAULT_LIMITS } from '../../fixtures/default-limits.js'

const ENTRY: TrafficEntry = {
  id: 'r',
  atMs: 0,
  direction: 'out',
  service: 'llm',
  method: 'POST',
  route: '/v1/chat/completions',
  model: 'm',
  peer: 'alice',
  path: 'direct-tcp',
  tries: 1,
  legs: [],
  candidates: 1,
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

test('addresses are typed in many ways', () => {
  const local = { host: '127.0.0.1', port: 8080 }
  expect(['8080', ' 127.0.0.1:8080 ', 'http://127.0.0.1:8080/v1'].map(readAddress)).toEqual([local, local, local])
  expect(readAddress('[::1]:80')).toEqual({ host: '::1', port: 80 })
  expect(readAddress('box.lan:1234')).toEqual({ host: 'box.lan', port: 1234 })
  expect(['', '0', '65536', 'abc', 'host:', '1:2:3', '::1:80'].map(readAddress)).toEqual(Array(7).fill(undefined))
})

describe('ticks', () => {
  const model = (id: string): DetectedModel => ({
    id,
    contextLength: null,
    quantisation: null,
    sizeBytes: null,
    parameters: null,
    loaded: null,
  })
  const models = [model('a'), model('b')]
  const share = (ticked: ShareView['models']) => ({ models: ticked }) as ShareView

  test('are on everything before anything is shared, and on what is shared afterwards', () => {
    expect(firstTicks(models, undefined)).toEqual(['a', 'b'])
    expect(firstTicks(models, share(['b']))).toEqual(['b'])
    expect(tickedIds(models, 'all')).toEqual(['a', 'b'])
    expect(tickedIds(models, ['b', 'gone'])).toEqual(['b'])
  })
  test('of all become those of the others when one is taken off', () => {
    expect(toggleTick(models, 'all', 'a')).toEqual(['b'])
    expect(toggleTick(models, ['b'], 'a')).toEqual(['b', 'a'])
  })
  test('tell whether there is something to save', () => {
    expect(ticksDiffer(share(['a', 'b']), ['b', 'a'])).toBe(false)
    expect(ticksDiffer(share(['a']), ['b'])).toBe(true)
    expect(ticksDiffer(share('all'), 'all')).toBe(false)
    expect(ticksDiffer(share('all'), ['a', 'b'])).toBe(true)
  })
})

test('the form of limits changes only what was changed, and refuses what can’t be', () => {
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

test('what was measured is the middle of the requests that were answered', () => {
  const entries = [100, 300, 200].map((ttfbMs) => ({ ...ENTRY, ttfbMs, durationMs: ttfbMs + 1000 }))
  expect(measuredOf(entries, { model: 'm' })).toEqual({ ttftMs: 200, tokensPerSecond: 50 })
  expect(measuredOf([...entries, { ...ENTRY, status: 502, ttfbMs: 9 }], { model: 'm' }).ttftMs).toBe(200)
  expect(measuredOf(entries, { model: 'm', peer: 'bob' })).toEqual({ ttftMs: null, tokensPerSecond: null })
  expect(measuredOf([{ ...ENTRY, direction: 'in' }], { model: 'm' }).ttftMs).toBeNull()
})

test('traffic is filtered by way, outcome and text, newest first', () => {
  const failed = { ...ENTRY, id: 'failed', status: 404, error: 'model_not_found' }
  const cancelled: TrafficEntry = { ...ENTRY, id: 'cancelled', cancelledBy: 'client', direction: 'in' }
  const running = { ...ENTRY, id: 'running', status: null, durationMs: null }
  const idsOf = (change: object): string[] =>
    filterTraffic([ENTRY, failed, cancelled, running], { ...SHOW_ALL, ...change }).map(({ id }) => id)
  expect(idsOf({})).toEqual(['running', 'cancelled', 'failed', 'r'])
  expect(idsOf({ outcome: 'failed' })).toEqual(['failed'])
  expect(idsOf({ direction: 'in' })).toEqual(['cancelled'])
  expect(idsOf({ text: 'Nobody offers' })).toEqual(['failed'])
})

test('providers are preferred one at a time and excluded many at a time', () => {
  const some = choose(choose(choose({}, 'a', 'prefer'), 'b', 'exclude'), 'c', 'exclude')
  expect(headersFor(some)).toEqual({ 'X-Ocf-Prefer': 'a', 'X-Ocf-Exclude': 'b, c' })
  expect(headersFor(choose(some, 'b', 'prefer'))).toEqual({ 'X-Ocf-Prefer': 'b', 'X-Ocf-Exclude': 'c' })
  expect(headersFor(choose(some, 'a', 'any'))).toEqual({ 'X-Ocf-Exclude': 'b, c' })
  expect(headersFor({})).toEqual({})
})

test('the palette shows what begins with the words first', () => {
  const command = (title: string, group = 'Page'): Command => ({
    id: title,
    title,
    group,
    icon: 'home',
    run: () => undefined,
  })
  const all = [command('Home'), command('gateway.host', 'Setting'), command('phone'), command('Share')]
  const titles = (query: string): string[] => matchCommands(all, query).map(({ title }) => title)
  expect(titles('ho')).toEqual(['Home', 'gateway.host', 'phone'])
  expect(titles('setting host')).toEqual(['gateway.host'])
  expect(titles('')).toHaveLength(4)
  expect(titles('nothing')).toEqual([])
})

test('a sparkline of nothing lies on the ground', () => {
  expect(sparkPath([], 100, 20)).toBe('M0 19 H100')
  expect(sparkPath([0, 0], 100, 20)).toBe('M0 19 L100 19')
  expect(sparkPath([0, 4], 100, 20)).toBe('M0 19 L100 2')
})
