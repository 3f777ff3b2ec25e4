import { describe, expect, test } from 'vitest'
import type { Status } from '#shared/contract/node/node.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { pillState } from '../../../../src-renderer/frame/pill-state.js'

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
  requestsToday: { in: 0, out: 0, local: 0, unanswered: 0 },
  state: { kind: 'sharing', path: 'direct' },
}

const live = (change: Partial<Status>) => pillState({ phase: 'live', data: { ...STATUS, ...change } })

describe('the pill', () => {
  test('the pill says what is shared, how peers are reached and how many there are', () => {
    expect(live({})).toEqual({ tone: 'good', sentence: 'Sharing 2 models · direct · 3 peers', page: 'share' })
    expect(live({ peers: 1, models: { available: 1, shared: 1 } }).sentence).toBe('Sharing 1 model · direct · 1 peer')
    expect(live({ state: { kind: 'connected', path: 'relayed' } }).sentence).toBe('Connected · relayed · 3 peers')
  })

  test('the pill says why sharing is paused', () => {
    const pause = { sentence: 'this computer runs on battery', untilMs: null }
    expect(live({ state: { kind: 'paused', path: 'direct', pause } })).toEqual({
      tone: 'warn',
      sentence: 'Paused: this computer runs on battery',
      page: 'share',
    })
  })

  test('the pill counts down a pause that ends, and names a server that does not answer', () => {
    const pause = { sentence: 'you paused it', untilMs: 14 * 60_000 }
    const paused = { ...STATUS, state: { kind: 'paused' as const, path: 'direct' as const, pause } }
    expect(pillState({ phase: 'live', data: paused }, [], 30_000).sentence).toBe('Paused · 14 min left')
    const choices = [{ model: 'm', ticked: true, visibility: 'everyone' as const }]
    const share = { name: 'Ollama', status: 'down', models: ['m'], visibility: 'me', choices } as unknown as ShareView
    expect(
      pillState({ phase: 'live', data: { ...STATUS, state: { kind: 'connected', path: 'direct' } } }, [share]),
    ).toEqual({
      ...{ tone: 'warn', sentence: 'Nothing is shared · Ollama isn’t answering', page: 'share' },
    })
  })

  test('the pill of a node that knows no one offers to join a network', () => {
    expect(live({ peers: 0, knownPeers: 0, state: { kind: 'alone', path: null } })).toEqual({
      ...{ tone: 'warn', sentence: 'Not in a network yet · Join one', page: 'network', item: 'join' },
    })
  })

  test('the pill leads to the cause when something is missing', () => {
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
