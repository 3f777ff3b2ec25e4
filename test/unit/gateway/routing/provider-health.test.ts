import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createProviderHealth,
  modelOfOffer,
  offerKey,
  type ProviderHealth,
  quarantineMs,
} from '../../../../src-main/gateway/routing/provider-health.js'
import type { NodeTable, PeerStatusEvent, Row, TableEvent } from '../../../../src-main/node-table/index.js'
import type { Host } from '../../../../src-main/p2p/index.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createTurnableClock, type TurnableClock } from '../../../fixtures/table-owners.js'

const KNOWN = ['a', 'b', 'c', 'd', 'e', 'f']

let clock: TurnableClock
let events: EventTarget
let asked: string[]
let tellTable: (event: TableEvent) => void
let tellStatus: (event: PeerStatusEvent) => void
let subscriptions: number
let paused: string | null
let statusTimeMs: number
let row: { epoch: number; seq: number }
/** What comes of asking a peer; undefined: nothing comes until {@link settle} is called. */
let outcome: unknown
let health: ProviderHealth
/** Ends the questions that are being asked. */
let settle: (() => void)[]

beforeEach(async () => {
  vi.useFakeTimers()
  clock = createTurnableClock()
  events = new EventTarget()
  asked = []
  settle = []
  subscriptions = 0
  paused = null
  statusTimeMs = 1
  row = { epoch: 0, seq: 0 }
  outcome = undefined
  const counted = (): (() => void) => {
    subscriptions += 1
    return () => (subscriptions -= 1)
  }
  const table = {
    get: (peerId: string) => (KNOWN.includes(peerId) ? row : undefined),
    subscribe(listener: typeof tellTable) {
      tellTable = listener
      return counted()
    },
    status: {
      get: () => undefined,
      peek: () => (paused === null ? undefined : { paused, timeMs: statusTimeMs }),
      refresh(peerId: string) {
        asked.push(peerId)
        if (outcome !== undefined) return Promise.resolve(outcome)
        return new Promise<void>((resolve) => settle.push(resolve))
      },
      hint: (peerId: string) => asked.push(`hint ${peerId}`),
      subscribe(listener: typeof tellStatus) {
        tellStatus = listener
        return counted()
      },
    },
  }
  health = createProviderHealth({
    host: { libp2p: events } as unknown as Host,
    table: table as unknown as NodeTable,
    monotonic: { elapsedMs: () => clock.now() },
    log: createRecordingLog(),
  })
  await health.start(new AbortController().signal)
})

afterEach(async () => {
  await health.stop()
  vi.useRealTimers()
})

async function pass(ms: number): Promise<void> {
  clock.turn(ms)
  await vi.advanceTimersByTimeAsync(1_000)
}

const tell = (type: string, peerId: string): boolean => events.dispatchEvent(new CustomEvent(type, { detail: peerId }))

test('the wait doubles from five seconds to five minutes', () => {
  expect([1, 2, 3, 6, 7, 50, 1e9].map(quarantineMs)).toEqual([
    5_000, 10_000, 20_000, 160_000, 300_000, 300_000, 300_000,
  ])
})

describe('a provider that failed', () => {
  test('is left alone, with the reason, until it answers', () => {
    expect(health.isRoutable('a')).toBe(true)
    health.reportFailure('a', 'connection lost')
    expect(health.isRoutable('a')).toBe(false)
    expect(health.reasonOf('a')).toBe('connection lost')
    expect(health.isRoutable('b')).toBe(true)
    health.reportSuccess('a')
    expect(health.isRoutable('a')).toBe(true)
    expect(health.reasonOf('a')).toBeUndefined()
  })

  test('is told to listeners when it is left alone and when it is free again, once each', () => {
    let changes = 0
    const stop = health.subscribe(() => (changes += 1))
    health.reportSuccess('a')
    expect(changes).toBe(0)
    health.reportFailure('a', 'x')
    health.reportFailure('a', 'x')
    expect(changes).toBe(1)
    health.reportSuccess('a')
    expect(changes).toBe(2)
    stop()
    health.reportFailure('a', 'x')
    expect(changes).toBe(2)
  })

  test('is free when it connects by itself', () => {
    health.reportFailure('a', 'x')
    tell('peer:connect', 'a')
    expect(health.isRoutable('a')).toBe(true)
  })

  test('is asked when its time has come, once at a time, and waits longer after each failure', async () => {
    health.reportFailure('a', 'x')
    await pass(4_000)
    expect(asked).toEqual([])
    await pass(1_000)
    await pass(60_000)
    expect(asked).toEqual(['a'])
    tellStatus({ type: 'peer:status', peerId: 'a', outcome: { kind: 'unreachable', reason: 'no way' } })
    settle.shift()?.()
    expect(health.reasonOf('a')).toBe('no way')
    await pass(9_000)
    expect(asked).toEqual(['a'])
    await pass(1_000)
    expect(asked).toEqual(['a', 'a'])
    tellStatus({ type: 'peer:status', peerId: 'a', outcome: { kind: 'unsupported' } })
    expect(health.isRoutable('a')).toBe(true)
  })

  test('is asked within seconds when it signs a new row, and not at once after each', async () => {
    const fail = async (): Promise<void> => {
      tellStatus({ type: 'peer:status', peerId: 'a', outcome: { kind: 'unreachable', reason: 'x' } })
      settle.shift()?.()
      await vi.advanceTimersByTimeAsync(0)
    }
    health.reportFailure('a', 'x')
    for (const wait of [5_000, 10_000, 20_000]) {
      await pass(wait)
      await fail()
    }
    expect(asked).toHaveLength(3)
    const sign = (): void => tellTable({ type: 'row:changed', row: { peerId: 'a' } as Row })
    sign()
    await pass(4_000)
    expect(asked).toHaveLength(3)
    await pass(1_000)
    expect(asked).toHaveLength(4)
    sign()
    await fail()
    sign()
    await pass(1_000)
    expect(asked).toHaveLength(4)
  })

  test('shares four questions at once with all others', async () => {
    for (const peerId of KNOWN) health.reportFailure(peerId, 'x')
    await pass(5_000)
    expect(asked).toEqual(['a', 'b', 'c', 'd'])
    for (const peerId of asked) {
      tellStatus({ type: 'peer:status', peerId, outcome: { kind: 'unreachable', reason: 'x' } })
    }
    for (const end of settle.splice(0)) end()
    await pass(1_000)
    expect(asked.slice(4)).toEqual(['e', 'f'])
  })

  test('is forgotten with its row; who has none is never remembered', () => {
    health.reportFailure('a', 'x')
    tellTable({ type: 'row:removed', peerId: 'a', reason: 'expired' })
    expect(health.isRoutable('a')).toBe(true)
    health.reportFailure('stranger', 'x')
    expect(health.isRoutable('stranger')).toBe(true)
  })
})

test('answers that break off together are one failure', async () => {
  for (const reason of ['one', 'two', 'three']) health.reportFailure('a', reason)
  await pass(5_000)
  expect(asked).toEqual(['a'])
  expect(health.reasonOf('a')).toBe('one')
})

test('a provider is asked why its answer broke off, for two seconds at most', async () => {
  outcome = { kind: 'answered', status: { paused: 'its owner has paused sharing' } }
  expect(await health.whyBrokenOff('a')).toBe('its owner has paused sharing')
  outcome = { kind: 'answered', status: { paused: null } }
  expect(await health.whyBrokenOff('a')).toBeUndefined()
  outcome = { kind: 'unreachable', reason: 'no way' }
  expect(await health.whyBrokenOff('a')).toBeUndefined()
  outcome = undefined
  const late = health.whyBrokenOff('a')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await late).toBeUndefined()
})

test('a row signed after the status that told of a pause ends it', () => {
  paused = 'the owner paused it'
  row = { epoch: 1, seq: 500 }
  statusTimeMs = 86_400_000 + 600
  expect(health.isRoutable('a')).toBe(false)
  row = { epoch: 1, seq: 700 }
  expect(health.isRoutable('a')).toBe(true)
})

test('a provider that says it is paused is not routable, for that reason', () => {
  paused = 'the owner is away'
  expect(health.isRoutable('a')).toBe(false)
  expect(health.reasonOf('a')).toBe('the owner is away')
})

test('a known peer that disconnects is asked, a stranger is not', () => {
  tell('peer:disconnect', 'a')
  tell('peer:disconnect', 'stranger')
  expect(asked).toEqual(['hint a'])
})

test('nothing is heard or asked after the stop', async () => {
  health.reportFailure('a', 'x')
  await health.stop()
  expect(subscriptions).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
  tell('peer:connect', 'a')
  await pass(60_000)
  expect(asked).toEqual([])
  expect(health.isRoutable('a')).toBe(false)
})

describe('what a peer offers that failed while the peer was there', () => {
  const fail = (): void => health.reportOfferFailure('a', offerKey('llm', ['model=x']))
  const isDoubtful = (model: string): boolean => health.isDoubtful('a', 'llm', [`model=${model}`])

  test('says nothing of its other models, nor of the peer', () => {
    fail()
    expect([isDoubtful('x'), isDoubtful('y')]).toEqual([true, false])
    expect(health.isRoutable('a')).toBe(true)
  })

  test('is asked last for longer after each failure, a minute at most, and at once after a success', () => {
    for (const waitMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      fail()
      clock.turn(waitMs - 1)
      expect(isDoubtful('x')).toBe(true)
      clock.turn(1)
      expect(isDoubtful('x')).toBe(false)
    }
    fail()
    health.reportSuccess('a', offerKey('llm', ['model=x']))
    expect(isDoubtful('x')).toBe(false)
  })

  test('counts once however many requests were under way', () => {
    fail()
    fail()
    fail()
    clock.turn(5_000)
    expect(isDoubtful('x')).toBe(false)
  })
})

test('an event stream without a mark at its end is complete where that provider’s streams never had one', () => {
  expect(health.reportEnd('a', 'chat', false)).toBe(true)
  expect(health.reportEnd('a', 'chat', true)).toBe(true)
  expect(health.reportEnd('a', 'chat', false)).toBe(false)
  expect(health.reportEnd('a', 'other', false)).toBe(true)
  expect(health.reportEnd('b', 'chat', false)).toBe(true)
})

test('the key of an offer tells the model it asks for, where it asks for one', () => {
  expect(modelOfOffer(offerKey('llm', ['model=qwen3:8b', 'all']))).toBe('qwen3:8b')
  expect(modelOfOffer(offerKey('llm', ['all', 'model=a=b']))).toBe('a=b')
  expect(modelOfOffer(offerKey('llm', ['all']))).toBeUndefined()
  expect(modelOfOffer(offerKey('other', ['model=x']))).toBeUndefined()
  expect(modelOfOffer('')).toBeUndefined()
})
