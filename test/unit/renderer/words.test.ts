import { describe, expect, test } from 'vitest'
import type { ModelView } from '#shared/contract/models.js'
import type { Status } from '#shared/contract/node.js'
import { modelForExamples, snippetsFor } from '../../../src-renderer/features/home/snippets.js'
import { tokensPerSecond } from '../../../src-renderer/stores/traffic-figures.js'
import { pillState } from '../../../src-renderer/frame/pill-state.js'
import { linkTo, routeOf } from '../../../src-renderer/stores/route.js'
import { strings } from '../../../src-renderer/strings.js'
import { count, formatAgo, formatBytes, formatMs, shortPeerId } from '../../../src-renderer/strings/format.js'

const STATUS: Status = {
  peerId: 'p',
  version: '0.1.0',
  mode: 'node',
  startedAtMs: 0,
  gatewayUrl: null,
  multiaddrs: [],
  peers: 3,
  paths: [{ path: 'direct-tcp', peers: 3 }],
  knownPeers: 3,
  models: { available: 4, shared: 2 },
  requestsToday: { in: 0, out: 0, local: 0 },
  state: { kind: 'sharing', path: 'direct' },
}
const live = (change: Partial<Status>) => pillState({ phase: 'live', data: { ...STATUS, ...change } })

describe('the pill', () => {
  test('says what is shared, how peers are reached and how many there are', () => {
    expect(live({})).toEqual({ tone: 'good', sentence: 'Sharing 2 models · direct · 3 peers', page: 'share' })
    expect(live({ peers: 1, models: { available: 1, shared: 1 } }).sentence).toBe('Sharing 1 model · direct · 1 peer')
    expect(live({ state: { kind: 'connected', path: 'relayed' } }).sentence).toBe('Connected · relayed · 3 peers')
  })

  test('says why sharing is paused', () => {
    const pause = { sentence: 'this computer runs on battery', untilMs: null }
    expect(live({ state: { kind: 'paused', path: 'direct', pause } })).toEqual({
      tone: 'warn',
      sentence: 'Paused: this computer runs on battery',
      page: 'share',
    })
  })

  test('leads to the cause when something is missing', () => {
    expect(live({ peers: 0, state: { kind: 'alone', path: null } })).toEqual({
      ...{ tone: 'warn', sentence: 'Not connected to any peer yet', page: 'network', item: 'doctor' },
    })
    const cause = { check: 'peers', sentence: 'no bootstrap source leads to a peer' }
    expect(live({ peers: 0, state: { kind: 'alone', path: null, cause } }).sentence).toBe(
      'Not connected: no bootstrap source leads to a peer',
    )
    expect(live({ peers: 0, state: { kind: 'standalone', path: null } })).toMatchObject({ tone: 'neutral' })
    expect(pillState({ phase: 'loading' }).tone).toBe('neutral')
    expect(pillState({ phase: 'lost', data: STATUS, error: new Error('gone') })).toMatchObject({ tone: 'bad' })
  })
})

test('the pill says what the doctor finds broken, and leads there', () => {
  const cause = { check: 'clock', sentence: 'the clock is 90 s ahead' }
  expect(live({ state: { kind: 'sharing', path: 'direct', cause } })).toEqual({
    tone: 'warn',
    sentence: 'Sharing 2 models · direct · 3 peers · the clock is 90 s ahead',
    page: 'network',
    item: 'doctor',
  })
  expect(live({ state: { kind: 'connected', path: 'relayed', cause } })).toMatchObject({ tone: 'warn', item: 'doctor' })
  const pause = { sentence: 'you paused it', untilMs: null }
  expect(live({ state: { kind: 'paused', path: 'direct', cause, pause } }).page).toBe('share')
})

describe('examples', () => {
  test('survive model names with quotes', () => {
    const name = `it's a "model" \\ name`
    const [curl, python, node] = snippetsFor('http://127.0.0.1:8092/v1', name)
    const body = /-d '([\s\S]*)'$/.exec(curl!.code)![1]!.replaceAll(`'\\''`, "'")
    expect((JSON.parse(body) as { model: string }).model).toBe(name)
    expect(python!.code).toContain(`model=${JSON.stringify(name)},`)
    expect(node!.code).toContain(`model: ${JSON.stringify(name)},`)
  })

  test('take a model of this computer first, then one of a connected peer', () => {
    const model = (id: string, change: Partial<ModelView>): ModelView => ({
      id,
      providers: [],
      local: false,
      shared: false,
      servers: [],
      ...change,
    })
    const far = model('far', { providers: [{ peerId: 'a', self: false, connected: false, load: null }] })
    const near = model('near', { providers: [{ peerId: 'b', self: false, connected: true, load: null }] })
    const own = model('own', { local: true })
    expect(modelForExamples([far, near, own])).toBe('own')
    expect(modelForExamples([far, near])).toBe('near')
    expect(modelForExamples([far])).toBe('far')
    expect(modelForExamples([])).toBeUndefined()
  })
})

test('numbers have units', () => {
  expect([0, 1, 2, 1234].map((n) => count(n, 'peer'))).toEqual(['0 peers', '1 peer', '2 peers', '1,234 peers'])
  expect([0, 84.4, 999, 1300, 12_000, 125_000].map(formatMs)).toEqual([
    '0 ms',
    '84 ms',
    '999 ms',
    '1.3 s',
    '12 s',
    '2 min 5 s',
  ])
  expect([0, 812, 999, 1000, 4100, 12_345, 2e6, 999_999].map(formatBytes)).toEqual([
    '0 B',
    '812 B',
    '999 B',
    '1.0 kB',
    '4.1 kB',
    '12 kB',
    '2.0 MB',
    '1.0 MB',
  ])
  expect([0, 12, 300, 7200, 200_000].map((s) => formatAgo(0, s * 1000))).toEqual([
    'now',
    '12 s ago',
    '5 min ago',
    '2 h ago',
    '2 d ago',
  ])
  expect(formatAgo(5000, 0)).toBe('now')
})

test('a peer id is shortened to the part that differs', () => {
  expect(shortPeerId('12D3KooWAbcdefghijklmnop')).toBe('…ijklmnop')
  expect(shortPeerId('short')).toBe('short')
})

test('tokens per second are told only where they can be known', () => {
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 200, durationMs: 2200 })).toBe(50)
  expect(tokensPerSecond({ tokens: null, ttfbMs: 200, durationMs: 2200 })).toBeNull()
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 199, durationMs: 200 })).toBe(500)
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 0, durationMs: 0 })).toBeNull()
  expect(tokensPerSecond({ tokens: 100, ttfbMs: 200, durationMs: null })).toBeNull()
})

test('addresses lead to pages and what is open on them, unknown ones to Home', () => {
  const pages = ['#/models', '#models', '', '#/nothing', '#token=abc', '#/__proto__'].map((hash) => routeOf(hash).page)
  expect(pages).toEqual(['models', 'models', 'home', 'home', 'home', 'home'])
  expect(routeOf(linkTo('models', 'a/b:c d%2F'))).toEqual({ page: 'models', item: 'a/b:c d%2F' })
  expect(routeOf('#/models/%')).toEqual({ page: 'models', item: undefined })
})

test('sentences agree in number', () => {
  expect(strings.network.sentence(1, 1)).toBe('You are connected to 1 peer, directly.')
  expect(strings.network.sentence(2, 2)).toBe('You are connected to 2 peers, all directly.')
  expect(strings.network.sentence(3, 0)).toBe('You are connected to 3 peers, all through relays.')
  expect(strings.network.sentence(1, 0)).toBe('You are connected to 1 peer, through a relay.')
  expect(strings.settings.sentence(1)).toBe('1 setting differs from the default.')
  expect(strings.share.sentence(0, 1)).toBe('You share a service, and no models.')
})
