import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { BroughtRows, type RowBudget } from '../../../../src-main/node-table/view/brought-rows.js'
import { createKeyRing } from '../../../../src-main/node-table/wire/key-ring.js'
import { createOwners, createTurnableClock, recordOffering } from '../../../fixtures/table-owners.js'
import type { Owner } from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../../fixtures/table-parts.js'

const FAR = (host: number): string => `/ip4/203.0.113.${host}/tcp/1`
const ROOMY: RowBudget = { bytes: 1e9, names: 1e9 }
const clock = createTurnableClock()
const keys = createKeyRing()
const MALLORY = 'mallory'
const ENVELOPE = new Uint8Array(300)
let owners: Owner[]
let table: TableParts

beforeAll(async () => {
  owners = await createOwners(12)
})

const start = (perBringer: Partial<RowBudget>, inAll: Partial<RowBudget> = {}): void => {
  table = createTableParts({
    clock,
    keys,
    budgets: { perBringer: { ...ROOMY, ...perBringer }, inAll: { ...ROOMY, ...inAll } },
  })
}

const shown = (): string[] => [...table.view.rows()].map(({ peerId }) => peerId)
const idOf = (index: number): string => owners[index]!.peerId
/** A row of that owner with models of its own. */
const rowOf = (index: number, names: number, seq?: number): Uint8Array =>
  owners[index]!.row({
    models: Array.from({ length: names }, (_, number) => `${index}-${number}`),
    ...(seq === undefined ? {} : { seq }),
  })

describe('the rows of owners never met', () => {
  beforeEach(() => start({ names: 10 }))

  test('cost the peer that brings them: what is beyond its names is refused, whoever signed it', () => {
    const verdicts = [4, 4, 4, 2, 0].map((names, index) => table.ingest(rowOf(index, names), 'sync', MALLORY))
    expect(verdicts).toEqual(['accepted', 'accepted', 'over-quota', 'accepted', 'accepted'])
  })

  test('of another bringer come in all the same', () => {
    for (const index of [0, 1, 2]) table.ingest(rowOf(index, 4), 'gossip', MALLORY)
    expect(table.ingest(rowOf(3, 4), 'gossip', 'honest')).toBe('accepted')
    expect(shown()).toEqual([idOf(0), idOf(1), idOf(3)])
  })

  test('cost all identities of one address group together', () => {
    for (const [host, sybil] of ['sybil-1', 'sybil-2', 'sybil-3'].entries()) table.view.verified(sybil, FAR(host))
    table.view.verified('honest', '/ip4/198.51.100.7/tcp/43905')
    const verdicts = ['sybil-1', 'sybil-2', 'sybil-3', 'honest'].map((bringer, index) =>
      table.ingest(rowOf(index, 4), 'sync', bringer),
    )
    expect(verdicts).toEqual(['accepted', 'accepted', 'over-quota', 'accepted'])
  })

  test('cost nothing where the names are known, and bytes all the same', () => {
    const models = Array.from({ length: 10 }, (_, number) => `shared-${number}`)
    const verdicts = owners.map((owner) => table.ingest(owner.row({ models }), 'sync', MALLORY))
    expect(new Set(verdicts)).toEqual(new Set(['accepted']))
    start({ bytes: 10_000 })
    const taken = owners.map((owner) => table.ingest(owner.row({ models }), 'sync', MALLORY))
    expect(taken.filter((verdict) => verdict === 'accepted')).toHaveLength(3)
  })

  test('cost nothing any more once their owner was met', () => {
    table.ingest(rowOf(0, 8), 'sync', MALLORY)
    expect(table.ingest(rowOf(1, 8), 'sync', MALLORY)).toBe('over-quota')
    table.view.verified(idOf(0), FAR(1))
    expect(table.ingest(rowOf(1, 8), 'sync', MALLORY)).toBe('accepted')
    expect([table.view.brought.bringerOf(idOf(0)), table.view.brought.bringerOf(idOf(1))]).toEqual([undefined, MALLORY])
  })

  test('may change within the budget of who brought them first, and stay as they were beyond it', () => {
    table.ingest(rowOf(0, 8), 'sync', MALLORY)
    expect(table.ingest(rowOf(0, 10, 43_200_001), 'gossip', 'honest')).toBe('accepted')
    expect(table.ingest(rowOf(0, 11, 43_200_002), 'gossip', 'honest')).toBe('over-quota')
    expect(table.view.entry(idOf(0))?.seq).toBe(43_200_001)
    expect(table.ingest(rowOf(1, 1), 'sync', MALLORY)).toBe('over-quota')
    expect(table.ingest(rowOf(0, 1, 43_200_003), 'gossip', 'honest')).toBe('accepted')
    expect(table.ingest(rowOf(1, 9), 'sync', MALLORY)).toBe('accepted')
  })

  test('give their names back when their lease is over', () => {
    const own = createTurnableClock()
    table = createTableParts({ clock: own, keys, budgets: { perBringer: { ...ROOMY, names: 10 }, inAll: ROOMY } })
    table.ingest(rowOf(0, 8), 'sync', MALLORY)
    own.turn(10 * 60_000)
    table.view.sweep()
    const later = owners[1]!.row({ seq: 43_200_000 + 10 * 60_000, models: ['a', 'b', 'c', 'd'] })
    expect(table.ingest(later, 'sync', MALLORY)).toBe('accepted')
  })

  test('that did not answer make room for others of their bringer, and come in no more while it has none', () => {
    table.ingest(rowOf(0, 5), 'sync', MALLORY)
    table.ingest(rowOf(1, 5), 'sync', MALLORY)
    table.view.brought.unreachable(idOf(0))
    expect(table.ingest(rowOf(2, 5), 'sync', MALLORY)).toBe('accepted')
    expect(shown()).toEqual([idOf(1), idOf(2)])
    table.view.brought.unreachable(idOf(1))
    expect(table.ingest(rowOf(0, 5), 'sync', MALLORY)).toBe('over-quota')
  })
})

describe('where all bringers together have too much', () => {
  beforeEach(() => start({ names: 10 }, { names: 14 }))

  test('who brought most loses its row that has not changed for longest', () => {
    for (const index of [0, 1]) table.ingest(rowOf(index, 4), 'sync', MALLORY)
    table.ingest(rowOf(2, 4), 'sync', 'honest')
    expect(table.ingest(rowOf(3, 4), 'sync', 'other')).toBe('accepted')
    expect(shown()).toEqual([idOf(1), idOf(2), idOf(3)])
  })

  test('who brought most gets no further row in, and displaces none of the others’', () => {
    table.ingest(rowOf(0, 4), 'sync', 'honest')
    table.ingest(rowOf(1, 8), 'sync', MALLORY)
    expect(table.ingest(rowOf(2, 2), 'sync', MALLORY)).toBe('accepted')
    start({ names: 10 }, { names: 12 })
    table.ingest(rowOf(0, 4), 'sync', 'honest')
    table.ingest(rowOf(1, 8), 'sync', MALLORY)
    expect(table.ingest(rowOf(2, 2), 'sync', MALLORY)).toBe('over-quota')
    expect(shown()).toEqual([idOf(0), idOf(1)])
  })

  test('rows from the own disk are the first to go, as nobody answers for them', () => {
    for (const index of [0, 1, 2]) table.ingest(rowOf(index, 4), 'disk')
    expect(table.ingest(rowOf(3, 4), 'sync', 'honest')).toBe('accepted')
    expect(shown()).toEqual([idOf(1), idOf(2), idOf(3)])
  })

  test('a row of an owner that was met is never displaced', () => {
    table.view.verified(idOf(0), FAR(1))
    table.ingest(rowOf(0, 14), 'sync', MALLORY)
    for (let index = 1; index < owners.length; index += 1) table.ingest(rowOf(index, 5), 'sync', `bringer-${index}`)
    expect(shown()).toContain(idOf(0))
    expect(shown()).toHaveLength(3)
  })
})

test('a full table gives up rows of the bringer that has most', () => {
  table = createTableParts({ clock, keys, maxRows: 4 })
  table.ingest(rowOf(0, 1), 'sync', 'honest')
  for (const index of [1, 2, 3]) table.ingest(rowOf(index, 1), 'sync', MALLORY)
  table.view.verified(idOf(4), FAR(4))
  table.ingest(rowOf(4, 1), 'sync', MALLORY)
  expect(shown()).toEqual([idOf(0), idOf(2), idOf(3), idOf(4)])
})

test('whatever comes and goes, no budget is exceeded and every row that is out is paid back', () => {
  const [perBringer, inAll] = [
    { bytes: 20_000, names: 12 },
    { bytes: 45_000, names: 20 },
  ]
  const step = fc.record({
    act: fc.constantFrom('charge', 'charge', 'charge', 'release', 'met', 'ended', 'unreachable'),
    owner: fc.nat(15),
    bringer: fc.nat(4),
    models: fc.array(fc.nat(30), { maxLength: 8 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const held = new Map<string, { bringer: string; models: Set<string> }>()
      const rows: BroughtRows = new BroughtRows((peerId) => remove(peerId), { perBringer, inAll })
      const remove = (peerId: string): void => {
        held.delete(peerId)
        rows.release(peerId)
      }
      for (const { act, owner, bringer, models } of steps) {
        const peerId = `owner-${owner}`
        const names = models.map((number) => `m${number}`)
        if (act === 'charge') {
          const first = held.get(peerId)?.bringer ?? `bringer-${bringer}`
          const record = recordOffering(peerId, names)
          const may = rows.mayCharge({ peerId, bytes: ENVELOPE, record }, `bringer-${bringer}`)
          const isCharged = rows.charge({ peerId, bytes: ENVELOPE, record }, `bringer-${bringer}`)
          // What is refused beforehand would have been refused.
          expect(may || !isCharged).toBe(true)
          if (isCharged) {
            rows.shown(peerId)
            held.set(peerId, { bringer: first, models: new Set(names) })
          }
        } else if (act === 'release') remove(peerId)
        else if (act === 'met') {
          held.delete(peerId)
          rows.met(peerId)
        } else if (act === 'ended') {
          rows.ended(peerId)
          held.get(peerId)?.models.clear()
        } else rows.unreachable(peerId)
        const all = new Set([...held.values()].flatMap((row) => [...row.models]))
        expect(all.size).toBeLessThanOrEqual(inAll.names)
        expect(rows.size).toBe(held.size)
        const most = Math.max(
          0,
          ...[...Map.groupBy(held.values(), (row) => row.bringer).values()].map((of) => of.length),
        )
        // A row takes 1,600 bytes and more.
        expect(most).toBeLessThanOrEqual(perBringer.bytes / 1_600)
        expect(rows.size).toBeLessThanOrEqual(inAll.bytes / 1_600)
      }
      for (const peerId of held.keys()) rows.release(peerId)
      expect([rows.size, rows.first()]).toEqual([0, undefined])
      // All is paid back: who fills a budget anew finds it empty.
      const models = Array.from({ length: perBringer.names }, (_, number) => `new-${number}`)
      for (const bringer of ['bringer-0', 'bringer-4']) {
        const record = recordOffering('new', models)
        expect(rows.charge({ peerId: 'new', bytes: ENVELOPE, record }, bringer)).toBe(true)
        rows.release('new')
      }
    }),
  )
})
