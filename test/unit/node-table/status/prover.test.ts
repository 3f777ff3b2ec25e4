import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { StatusOutcome } from '../../../../src-main/node-table/status/peer-status.js'
import { createProver, type Prover } from '../../../../src-main/node-table/status/prover.js'
import { createOwners, createTurnableClock, type Owner, type TurnableClock } from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../../fixtures/table-parts.js'

let owners: Owner[]
let clock: TurnableClock
let table: TableParts
let prover: Prover
let isOnline: boolean
let isPartial: boolean
/** Whom it asked, in order, and what ends each question. */
let asked: string[]
let answers: ((outcome: StatusOutcome) => void)[]

beforeAll(async () => {
  owners = await createOwners(40)
})

beforeEach(() => {
  vi.useFakeTimers()
  clock = createTurnableClock()
  table = createTableParts({ clock })
  asked = []
  answers = []
  isOnline = true
  isPartial = false
  const refresh = (peerId: string): Promise<StatusOutcome> => {
    asked.push(peerId)
    return new Promise((resolve) => answers.push(resolve))
  }
  prover = createProver({
    view: table.view,
    status: { refresh },
    monotonic: clock,
    isOnline: () => isOnline,
    isPartial: () => isPartial,
    random: () => 0.5,
  })
  return () => {
    prover.stop()
    vi.useRealTimers()
  }
})

const bring = (from: number, to: number, bringer: string): void => {
  for (const [index, owner] of owners.slice(from, to).entries()) {
    table.ingest(owner.row({ models: [`model-${from + index}`] }), 'sync', bringer)
  }
}
const answer = async (outcome: StatusOutcome): Promise<void> => {
  answers.shift()?.(outcome)
  await vi.advanceTimersByTimeAsync(0)
}
const GONE: StatusOutcome = { kind: 'unreachable', reason: 'no' }
const bringerOf = (peerId: string): number => (owners.findIndex((owner) => owner.peerId === peerId) < 30 ? 0 : 1)

test('owners never met are asked few at a time, in turn by who brought them, the latest first', async () => {
  bring(0, 30, 'mallory')
  bring(30, 34, 'honest')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(asked).toHaveLength(8)
  expect(asked.map(bringerOf)).toEqual([0, 1, 0, 1, 0, 1, 0, 1])
  expect(asked[0]).toBe(owners[29]!.peerId)
  expect(asked[1]).toBe(owners[33]!.peerId)
  await answer(GONE)
  expect(asked).toHaveLength(9)
})

test('all of a small network are asked within a second or two', async () => {
  bring(0, 20, 'bootstrap')
  const asking = vi.advanceTimersByTimeAsync(1_000)
  await asking
  while (answers.length > 0) await answer({ kind: 'unsupported' })
  expect(new Set(asked).size).toBe(20)
})

test('whom nobody needs is not asked: two that were met offer the same', async () => {
  for (const owner of owners.slice(0, 2)) table.view.verified(owner.peerId, '/ip4/127.0.0.1/tcp/1')
  for (const owner of owners.slice(0, 10)) table.ingest(owner.row(), 'sync', 'bootstrap')
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked).toEqual([])
})

test('without a connection nobody is asked until there is one', async () => {
  isOnline = false
  bring(0, 3, 'disk')
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked).toEqual([])
  isOnline = true
  await vi.advanceTimersByTimeAsync(500)
  expect(asked).toHaveLength(3)
})

test('one that does not answer is asked five times again, after all others and ever later', async () => {
  bring(0, 1, 'bootstrap')
  await vi.advanceTimersByTimeAsync(100)
  for (const seconds of [4, 8, 16, 32, 64, 128]) {
    await answer(GONE)
    const before = asked.length
    clock.turn(seconds * 1_000 - 1)
    await vi.advanceTimersByTimeAsync(seconds * 1_000 - 1)
    expect(asked).toHaveLength(before)
    clock.turn(1)
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(asked).toHaveLength(6)
})

test('a renewal has its owner asked again, a minute later at the soonest', async () => {
  bring(0, 1, 'bootstrap')
  await vi.advanceTimersByTimeAsync(100)
  await answer({ kind: 'unsupported' })
  table.ingest(owners[0]!.row({ seq: 43_200_001, models: ['model-0'] }), 'gossip', 'bootstrap')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked).toHaveLength(1)
  clock.turn(60_000)
  table.ingest(owners[0]!.row({ seq: 43_260_000, models: ['model-0'] }), 'gossip', 'bootstrap')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked).toHaveLength(2)
})

test('after a burst of 128 questions there are four a second', async () => {
  const many = await createOwners(200)
  for (const [index, owner] of many.entries()) table.ingest(owner.row({ models: [`m-${index}`] }), 'sync', 'mallory')
  await vi.advanceTimersByTimeAsync(3_000)
  while (answers.length > 0) await answer(GONE)
  expect(asked).toHaveLength(128)
  for (let second = 0; second < 4; second += 1) {
    clock.turn(1_000)
    await vi.advanceTimersByTimeAsync(1_000)
    while (answers.length > 0) await answer(GONE)
  }
  expect(asked.length).toBe(128 + 16)
})

test('where the table is partial, one more is asked every two minutes', async () => {
  isPartial = true
  const many = await createOwners(200)
  for (const [index, owner] of many.entries()) table.ingest(owner.row({ models: [`m-${index}`] }), 'sync', 'mallory')
  await vi.advanceTimersByTimeAsync(3_000)
  while (answers.length > 0) await answer({ kind: 'invalid' })
  expect(asked).toHaveLength(128)
  clock.turn(121_000)
  await vi.advanceTimersByTimeAsync(121_000)
  while (answers.length > 0) await answer({ kind: 'invalid' })
  expect(asked).toHaveLength(129)
})
