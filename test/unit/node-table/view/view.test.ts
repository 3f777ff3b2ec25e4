import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TableEvent } from '../../../../src-main/node-table/index.js'
import type { TableView } from '../../../../src-main/node-table/view/view.js'
import { EPOCH_MS } from '../../../../src-main/node-table/wire/epoch.js'
import { createKeyRing } from '../../../../src-main/node-table/wire/key-ring.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import {
  createOwners,
  createRandom,
  createTurnableClock,
  mutate,
  recordOffering,
  TODAY,
} from '../../../fixtures/table-owners.js'
import type { Owner, TurnableClock } from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../../fixtures/table-parts.js'

const NOON = EPOCH_MS / 2
const MINUTE = 60_000
const HALF_A_DAY = EPOCH_MS / 2
const keys = createKeyRing()
let owners: Owner[]
let alice: Owner
/** Enough to fill a table. */
let many: Owner[]
let clock: TurnableClock
let table: TableParts
let view: TableView
let events: TableEvent[]

beforeAll(async () => {
  const all = await createOwners(26)
  owners = all.slice(0, 6)
  many = all.slice(6)
  alice = owners[0]!
})

beforeEach(() => {
  clock = createTurnableClock()
  view = createView()
  events = []
  view.subscribe((event) => events.push(event))
})

function createView(options: { maxRows?: number; selfId?: string } = {}): TableView {
  table = createTableParts({ clock, keys, ...options })
  return table.view
}

const providers = (model: string): string[] => [...view.offers.providers('llm', `model=${model}`)]

describe('a row', () => {
  test('is shown with its record, logical time and end', () => {
    expect(table.ingest(alice.row(), 'gossip')).toBe('accepted')
    expect(view.get(alice.peerId)).toEqual({
      peerId: alice.peerId,
      record: recordOffering(alice.peerId, ['gpt2']),
      epoch: TODAY,
      seq: NOON,
      expiresAtMs: clock.now() + 10 * MINUTE,
    })
    expect(view.size).toBe(1)
    expect(events.map(({ type }) => type)).toEqual(['row:added'])
  })

  test('gives way to a newer one and never to an older', () => {
    const [older, newer] = [alice.row({ seq: NOON - 5, models: ['old'] }), alice.row({ models: ['new'] })]
    expect(table.ingest(newer, 'gossip')).toBe('accepted')
    expect(table.ingest(older, 'gossip')).toBe('known')
    expect(table.ingest(newer, 'gossip')).toBe('known')
    expect(table.ingest(alice.row({ epoch: TODAY - 1, seq: EPOCH_MS - 1 }), 'gossip')).toBe('known')
    expect([providers('new'), providers('old')]).toEqual([[alice.peerId], []])
  })

  test('is refused when its time is more than a minute ahead of ours', () => {
    expect(table.ingest(alice.row({ seq: NOON + MINUTE + 1 }), 'gossip')).toBe('early')
    expect(table.ingest(alice.row({ seq: NOON + MINUTE }), 'gossip')).toBe('accepted')
  })

  test('of the next epoch is taken within a minute of the boundary only', () => {
    clock = createTurnableClock((TODAY + 1) * EPOCH_MS - MINUTE - 1)
    view = createView()
    const tomorrow = alice.row({ epoch: TODAY + 1, seq: 0 })
    expect(table.ingest(tomorrow, 'sync')).toBe('early')
    clock.turn(1)
    expect(table.ingest(tomorrow, 'sync')).toBe('accepted')
  })

  test('of an epoch before the previous is refused, of the previous taken', () => {
    expect(table.ingest(alice.row({ epoch: TODAY - 2 }), 'sync')).toBe('old')
    expect(table.ingest(alice.row({ epoch: TODAY - 1, seq: EPOCH_MS - 1 }), 'sync')).toBe('accepted')
  })

  test('ends with its lease, and an older one with a longer lease does not come back', () => {
    table.ingest(alice.row(), 'gossip')
    clock.turn(10 * MINUTE)
    view.sweep()
    expect([view.get(alice.peerId), view.size, providers('gpt2')]).toEqual([undefined, 0, []])
    expect(events.at(-1)).toEqual({ type: 'row:removed', peerId: alice.peerId, reason: 'expired' })
    expect(table.ingest(alice.row({ seq: NOON - 1, leaseMs: 12 * 60 * MINUTE }), 'sync')).toBe('known')
    expect(view.size).toBe(0)
  })

  test('that is past its lease when it comes is remembered and not shown', () => {
    expect(table.ingest(alice.row({ seq: NOON - 20 * MINUTE }), 'sync')).toBe('accepted')
    expect([view.size, view.entryCount, events]).toEqual([0, 1, []])
  })

  test.each([60 * MINUTE, -60 * MINUTE])('lives as long as its lease though the clock is set by %d ms', (ms) => {
    table.ingest(alice.row(), 'gossip')
    table.ingest(owners[1]!.row({ seq: NOON - 20 * MINUTE }), 'gossip')
    const expiresAtMs = clock.now() + 10 * MINUTE
    clock.step(ms)
    clock.turn(10 * MINUTE - 1)
    view.sweep()
    expect([view.size, view.get(alice.peerId)?.expiresAtMs]).toEqual([1, expiresAtMs])
    clock.turn(1)
    view.sweep()
    expect(view.size).toBe(0)
  })

  test('is forgotten when its epoch is over', () => {
    table.ingest(alice.row({ leaseMs: 12 * 60 * MINUTE }), 'gossip')
    clock.turn(1.5 * EPOCH_MS)
    view.sweep()
    expect([view.entryCount, view.size]).toEqual([0, 0])
    expect(view.digest()).toEqual(new Uint8Array(16))
  })

  test('with a lease above twelve hours is malformed', () => {
    expect(table.ingest(alice.row({ leaseMs: 12 * 60 * MINUTE + 1 }), 'gossip')).toBe('malformed')
  })

  test('with a record of another peer is malformed, with a broken signature forged', () => {
    expect(table.ingest(alice.row({ record: recordOffering(owners[1]!.peerId, ['gpt2']) }), 'gossip')).toBe('malformed')
    const broken = alice.row()
    broken[50]! ^= 1
    expect(table.ingest(broken, 'gossip')).toBe('forged')
    expect(view.entryCount).toBe(0)
  })

  test('that changes faster than anybody needs is left to the syncs', () => {
    const verdicts = Array.from({ length: 40 }, (_, index) => table.ingest(alice.row({ seq: NOON + index }), 'gossip'))
    expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(30)
    expect(verdicts.at(-1)).toBe('too-often')
    expect(table.ingest(alice.row({ seq: NOON + 40 }), 'sync')).toBe('accepted')
    clock.turn(MINUTE)
    expect(table.ingest(alice.row({ seq: NOON + 41 }), 'gossip')).toBe('accepted')
  })
})

describe('a withdrawal', () => {
  test('removes the row, and older rows do not come back', () => {
    table.ingest(alice.row(), 'gossip')
    expect(table.ingest(alice.withdrawal({ seq: NOON + 1 }), 'gossip')).toBe('accepted')
    expect(events.at(-1)).toEqual({ type: 'row:removed', peerId: alice.peerId, reason: 'withdrawn' })
    expect(table.ingest(alice.row(), 'sync')).toBe('known')
    expect([view.size, providers('gpt2')]).toEqual([0, []])
  })

  test('is undone by a newer row', () => {
    table.ingest(alice.withdrawal(), 'gossip')
    table.ingest(alice.row({ seq: NOON + 1 }), 'gossip')
    expect(providers('gpt2')).toEqual([alice.peerId])
  })

  test('of a peer never seen is remembered', () => {
    expect(table.ingest(alice.withdrawal(), 'sync')).toBe('accepted')
    expect(table.ingest(alice.row({ seq: NOON - 1 }), 'sync')).toBe('known')
  })
})

describe('two different rows with one logical time', () => {
  test('drop their owner and keep it out for ten minutes', () => {
    table.ingest(alice.row({ models: ['one'] }), 'gossip')
    expect(table.ingest(alice.row({ models: ['two'] }), 'gossip')).toBe('equivocation')
    expect(events.at(-1)).toEqual({ type: 'row:removed', peerId: alice.peerId, reason: 'banned' })
    expect(table.ingest(alice.row({ seq: NOON + 1 }), 'gossip')).toBe('banned')
    clock.turn(10 * MINUTE)
    expect(table.ingest(alice.row({ seq: NOON + 2, leaseMs: 60 * MINUTE }), 'gossip')).toBe('accepted')
  })

  test('are no proof when the second is not signed by the owner', () => {
    table.ingest(alice.row({ models: ['one'] }), 'gossip')
    const forged = alice.row({ models: ['two'] })
    forged[forged.length - 1]! ^= 1
    expect(table.ingest(forged, 'gossip')).toBe('forged')
    expect(providers('one')).toEqual([alice.peerId])
  })

  test('never make a node drop itself', () => {
    view = createView({ selfId: alice.peerId })
    table.ingest(alice.row({ models: ['one'] }), 'self')
    table.ingest(alice.row({ models: ['two'] }), 'gossip')
    expect(providers('one')).toEqual([alice.peerId])
    expect(table.ingest(alice.row({ seq: NOON + 1 }), 'self')).toBe('accepted')
  })
})

describe('a full table', () => {
  test('takes no further owner, but renewals and this node’s own row', () => {
    view = createView({ maxRows: 2, selfId: owners[3]!.peerId })
    expect(owners.slice(0, 3).map((owner) => table.ingest(owner.row(), 'gossip'))).toEqual([
      'accepted',
      'accepted',
      'full',
    ])
    expect(table.ingest(alice.row({ seq: NOON + 1 }), 'gossip')).toBe('accepted')
    expect(table.ingest(owners[3]!.row(), 'self')).toBe('accepted')
  })

  test('gives up what does not count any more first', () => {
    view = createView({ maxRows: 2 })
    table.ingest(alice.withdrawal(), 'gossip')
    table.ingest(owners[1]!.row(), 'gossip')
    expect(table.ingest(owners[2]!.row(), 'gossip')).toBe('accepted')
    expect([view.entryCount, view.size]).toEqual([2, 2])
    expect(table.ingest(owners[3]!.row(), 'gossip')).toBe('full')
  })

  test('keeps a withdrawal, one for ten rows, for as long as the row it withdraws could count', () => {
    view = createView({ maxRows: 10 })
    table.ingest(alice.withdrawal(), 'gossip')
    expect(many.slice(0, 10).map((owner) => table.ingest(owner.row({ leaseMs: HALF_A_DAY }), 'gossip'))).toEqual([
      ...Array<string>(9).fill('accepted'),
      'full',
    ])
    expect([view.isFull, view.entry(alice.peerId)?.record, view.size]).toEqual([true, undefined, 9])
    expect(table.ingest(alice.row({ seq: NOON - 1, leaseMs: HALF_A_DAY }), 'sync')).toBe('known')
    clock.turn(HALF_A_DAY)
    view.sweep()
    expect(view.entry(alice.peerId)).toBeDefined()
    expect(table.ingest(many[10]!.row({ epoch: TODAY + 1, seq: 0 }), 'gossip')).toBe('accepted')
  })

  test('gives up the oldest withdrawals above one for ten rows, and no row for one', () => {
    view = createView({ maxRows: 10 })
    for (const owner of many.slice(0, 10)) table.ingest(owner.withdrawal(), 'gossip')
    for (const owner of many.slice(10, 19)) expect(table.ingest(owner.row(), 'gossip')).toBe('accepted')
    expect([view.size, view.entry(many[9]!.peerId) !== undefined]).toEqual([9, true])
    expect(table.ingest(many[19]!.row(), 'gossip')).toBe('full')
  })
})

describe('the index of offers', () => {
  test('has only services that are connected', () => {
    table.ingest(alice.row({ record: recordOffering(alice.peerId, ['gpt2'], 'starting') }), 'gossip')
    expect([view.size, providers('gpt2'), view.offers.entries('llm').size]).toEqual([1, [], 0])
  })

  test('takes names of object members as names', () => {
    table.ingest(alice.row({ models: ['__proto__', 'constructor'] }), 'gossip')
    expect(providers('__proto__')).toEqual([alice.peerId])
    expect(view.offers.entries('toString').size).toBe(0)
    expect(view.offers.providers('llm', 'constructor').size).toBe(0)
  })

  test('always says what a scan of the rows would say', () => {
    const change = fc.record({
      owner: fc.nat(5),
      models: fc.subarray(['a', 'b', 'c']),
      status: fc.constantFrom('connected', 'connected', 'down'),
      action: fc.constantFrom('row', 'row', 'row', 'withdraw', 'wait'),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        clock = createTurnableClock()
        view = createView()
        for (const [index, { owner, models, status, action }] of changes.entries()) {
          const signer = owners[owner]!
          const { peerId } = signer
          const seq = NOON + index
          if (action === 'wait') clock.turn(5 * MINUTE)
          else if (action === 'withdraw') table.ingest(signer.withdrawal({ seq }), 'sync')
          else table.ingest(signer.row({ seq, record: recordOffering(peerId, models, status) }), 'sync')
          view.sweep()
        }
        const scanned = new Map<string, Set<string>>()
        for (const { peerId, record } of view.rows()) {
          for (const service of record.service.filter(({ status }) => status === 'connected')) {
            for (const entry of service.identity_group) {
              scanned.set(entry, (scanned.get(entry) ?? new Set()).add(peerId))
            }
          }
        }
        const offered = [...view.offers.entries('llm')].map(([entry, peers]) => [entry, [...peers].sort()])
        expect(Object.fromEntries(offered)).toEqual(
          Object.fromEntries([...scanned].map(([entry, peers]) => [entry, [...peers].sort()])),
        )
        // Drawn by number or walked through: the same peers.
        for (const [entry, peers] of scanned) expect(new Set(view.offers.providers('llm', entry).list)).toEqual(peers)
        expect(view.size).toBe([...view.rows()].length)
      }),
      { numRuns: 60 },
    )
  })
})

test('a hostile owner’s 5,000 mutated envelopes change nothing and throw nothing', () => {
  const random = createRandom(3)
  table.ingest(alice.row(), 'gossip')
  const digest = view.digest()
  const genuine = owners[1]!.row()
  const verdicts = new Map<string, number>()
  for (let round = 0; round < 5_000; round += 1) {
    const bytes = mutate(genuine, random)
    if (Buffer.compare(bytes, genuine) === 0) continue
    const verdict = table.ingest(bytes, 'gossip')
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
  }
  expect(verdicts.has('accepted')).toBe(false)
  expect([view.digest(), view.entryCount]).toEqual([digest, 1])
})

test('a listener that fails does not keep the others from hearing', () => {
  const log = createRecordingLog()
  table = createTableParts({ clock, keys, log })
  view = table.view
  const heard: string[] = []
  view.subscribe(() => {
    throw new Error('no')
  })
  const stop = view.subscribe(({ type }) => heard.push(type))
  table.ingest(alice.row(), 'gossip')
  stop()
  table.ingest(alice.row({ seq: NOON + 1 }), 'gossip')
  expect(heard).toEqual(['row:added'])
  expect(log.lines.map(({ level }) => level)).toEqual(['error', 'error'])
})
