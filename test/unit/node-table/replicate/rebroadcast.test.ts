import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TableGossip } from '../../../../src-main/node-table/replicate/gossip.js'
import type { OwnRow } from '../../../../src-main/node-table/replicate/own-row.js'
import { createRebroadcast, type Rebroadcast } from '../../../../src-main/node-table/replicate/rebroadcast.js'
import type { TableSync } from '../../../../src-main/node-table/replicate/sync.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createTurnableClock } from '../../../fixtures/table-owners.js'

type Learned = Parameters<Parameters<TableSync['onLearned']>[0]>

let reached: number
let sent: number
let compared: [count: number, except: string | undefined][]
let learn: (...learned: Learned) => void
let subscribe: (peerId: string) => void
let requested: string[]
let rows: number
let isPartial: boolean
let isAffordable: boolean
let rebroadcast: Rebroadcast

beforeEach(() => {
  vi.useFakeTimers()
  reached = 1
  sent = 0
  compared = []
  requested = []
  rows = 10
  isPartial = false
  isAffordable = true
  const gossip = {
    send: () => Promise.resolve(((sent += 1), reached)),
    onSubscriber: (listener: typeof subscribe) => void (subscribe = listener),
  }
  const sync = {
    get isAffordable() {
      return isAffordable
    },
    request: (peerId: string) => void requested.push(peerId),
    withRandomPeers: (count: number, except?: string) => Promise.resolve(void compared.push([count, except])),
    onLearned: (listener: typeof learn) => (learn = listener),
  }
  const ownRow = { repeat: () => Promise.resolve() } as OwnRow
  const needs = { gossip: gossip as unknown as TableGossip, sync: sync as unknown as TableSync, ownRow }
  const view = {
    get entryCount() {
      return rows
    },
  }
  rebroadcast = createRebroadcast(
    { ...needs, view, isPartial: () => isPartial, monotonic: createTurnableClock(), log: createRecordingLog() },
    { peerId: 'me' },
  )
})
afterEach(() => {
  rebroadcast.stop()
  vi.useRealTimers()
})

test('what a sync brings is gossiped on', async () => {
  learn([new Uint8Array(300)], 'alice')
  await vi.advanceTimersByTimeAsync(10_000)
  expect([sent, compared]).toEqual([1, []])
})

test('what is too much for gossip, or has been gossiped to this node meanwhile, goes on by syncs', async () => {
  learn([new Uint8Array(20_000)], 'alice')
  await vi.advanceTimersByTimeAsync(2_000)
  expect([sent, compared]).toEqual([0, [[2, 'alice']]])
  reached = 0
  for (const peerId of ['bob', 'carol']) learn([new Uint8Array(300)], peerId)
  await vi.advanceTimersByTimeAsync(2_000)
  expect([sent, compared.slice(1)]).toEqual([2, [[2, 'bob']]])
})

test.each([300, 20_000])('of a partial table nothing that a sync brings goes on, of %i bytes', async (bytes) => {
  isPartial = true
  learn([new Uint8Array(bytes)], 'alice')
  await vi.advanceTimersByTimeAsync(10_000)
  expect([sent, compared]).toEqual([0, []])
})

test('no sync follows another beyond the budget', async () => {
  isAffordable = false
  learn([new Uint8Array(20_000)], 'alice')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(compared).toEqual([])
})

test.each([
  [499, ['you']],
  [500, []],
])('with a table of %i rows a peer that subscribes is compared with: %j', async (count, wanted) => {
  rows = count
  // One of the two asks.
  for (const peerId of ['you', 'a peer before']) subscribe(peerId)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(requested).toEqual(wanted)
})

test('of many proofs of an equivocation ten are gossiped on at once', () => {
  const envelopes = [new Uint8Array(200), new Uint8Array(201)] as const
  for (let number = 0; number < 50; number += 1) {
    rebroadcast.passOnProof({ peerId: `liar-${number}`, epoch: 1, seq: 1, envelopes, endsAtMs: 0 })
  }
  expect(sent).toBe(10)
})

test('after the stop nothing goes on', async () => {
  reached = 0
  learn([new Uint8Array(300)], 'alice')
  rebroadcast.stop()
  await vi.advanceTimersByTimeAsync(10_000)
  expect([compared, vi.getTimerCount()]).toEqual([[], 0])
})
