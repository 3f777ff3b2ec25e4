import { beforeEach, expect, test } from 'vitest'
import {
  createGossipBudget,
  type GossipBudget,
  MIN_PARTIAL_ROWS,
  type PassedEnvelope,
} from '../../../../src-main/node-table/budget/gossip-budget.js'
import { createTurnableClock, type TurnableClock } from '../../../fixtures/table-owners.js'

const HOUR_MS = 3_600_000
const YOUNG_MS = 15 * 60_000
let clock: TurnableClock
let rows: number
let budget: GossipBudget
let heard = 0

beforeEach(() => {
  clock = createTurnableClock()
  rows = 2_000
  budget = createGossipBudget({ monotonic: clock, rows: () => rows }, { budgetBytesPerS: 1024 })
})

/** So many envelopes an hour for so long, from peers in turn. Returns the share that was passed on. */
function hear(
  perHour: number,
  ms: number,
  { kind = 'row', peers = 8, owner }: { kind?: PassedEnvelope['kind']; peers?: number; owner?: string } = {},
): number {
  const count = Math.round((perHour * ms) / HOUR_MS)
  let passed = 0
  for (let index = 0; index < count; index += 1) {
    clock.turn(ms / count)
    heard += 1
    const from = `peer ${String(index % peers)}`
    if (budget.passesOn({ sizeBytes: 1_000, from, owner: owner ?? `owner ${String(heard)}`, kind })) passed += 1
  }
  return passed / count
}

test('a network that stays within the budget is told everything, and its tables are whole', () => {
  clock.turn(YOUNG_MS)
  expect(hear(250, 3 * HOUR_MS)).toBe(1)
  expect(budget.isPartial).toBe(false)
})

test('of a network with more to say, as much goes on as the budget has for it, whatever comes', () => {
  hear(3_000, HOUR_MS)
  expect(budget.isPartial).toBe(true)
  for (const perHour of [1_000, 10_000]) {
    const passedPerS = (hear(perHour, HOUR_MS) * perHour) / 3_600
    expect(passedPerS * 1_000 * 7).toBeLessThanOrEqual(0.45 * 1024)
    expect(passedPerS * 1_000 * 7).toBeGreaterThan(0.35 * 1024)
  }
})

test('however small the budget, some of what comes goes on', () => {
  budget = createGossipBudget({ monotonic: clock, rows: () => rows }, { budgetBytesPerS: 64 })
  expect(hear(3_000, 3 * HOUR_MS)).toBeGreaterThan(0)
})

test('a small table is whole and passes everything on, however much all have to say at once', () => {
  rows = MIN_PARTIAL_ROWS - 1
  expect(hear(100_000, HOUR_MS)).toBe(1)
  expect(budget.isPartial).toBe(false)
})

test('once a table is partial, it stays so until next to nothing comes', () => {
  hear(3_000, HOUR_MS)
  hear(150, HOUR_MS)
  expect(budget.isPartial).toBe(true)
  hear(60, HOUR_MS)
  expect(budget.isPartial).toBe(false)
})

test('a node that has just started takes a large table for partial', () => {
  expect(budget.isPartial).toBe(true)
  clock.turn(YOUNG_MS)
  expect(budget.isPartial).toBe(false)
})

test('who offers nothing is passed on as long as all that there is stays within the budget', () => {
  clock.turn(YOUNG_MS)
  expect(hear(250, HOUR_MS, { kind: 'nothing' })).toBe(1)
  hear(3_000, HOUR_MS)
  expect(hear(100, HOUR_MS / 10, { kind: 'nothing' })).toBe(0)
})

test('one peer may not use up what a partial table passes on', () => {
  hear(3_000, HOUR_MS)
  hear(10_000, HOUR_MS, { peers: 1 })
  const flood = hear(10_000, HOUR_MS, { peers: 1 })
  expect((flood * 10_000 * 7) / 3.6).toBeLessThan(0.3 * 0.4 * 1024)
})

/** One owner's rows, once a minute among those of others. Returns how many were passed on in so many hours. */
function passedOf(owner: string, hours: number): number {
  let passed = 0
  for (let minute = 0; minute < hours * 60; minute += 1) {
    passed += hear(120, HOUR_MS / 120, { owner })
    hear(1_200, HOUR_MS / 120)
  }
  return passed
}

test('in a partial table an owner that says the same all the time is passed on as often as one that renews', () => {
  hear(1_200, HOUR_MS)
  expect(budget.isPartial).toBe(true)
  const passed = passedOf('one', 10)
  expect(budget.isPartial).toBe(true)
  expect(passed).toBeGreaterThan(6)
  expect(passed).toBeLessThan(10 * (60 / 48) + 2)
})

test('an owner whose row found no room does not get its turn by saying it again', () => {
  hear(3_000, HOUR_MS)
  const said = { sizeBytes: 1_000, from: 'peer 9', kind: 'row' } as const
  hear(100_000, HOUR_MS / 60)
  expect(budget.passesOn({ ...said, owner: 'liar' })).toBe(false)
  clock.turn(2 * 60_000)
  expect(budget.passesOn({ ...said, owner: 'liar' })).toBe(false)
  expect(budget.passesOn({ ...said, owner: 'honest' })).toBe(true)
  hear(150, HOUR_MS)
  expect(budget.isPartial).toBe(true)
  expect(budget.passesOn({ ...said, owner: 'liar' })).toBe(true)
})

test('a withdrawal is passed on however often its owner has been', () => {
  hear(1_200, HOUR_MS)
  passedOf('one', 1.25)
  const said = { sizeBytes: 200, from: 'peer 9', owner: 'one' }
  clock.turn(60_000)
  expect(budget.passesOn({ ...said, kind: 'row' })).toBe(false)
  expect(budget.passesOn({ ...said, kind: 'withdrawal' })).toBe(true)
})
