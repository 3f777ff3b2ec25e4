import { beforeAll, beforeEach, expect, test } from 'vitest'
import { createProviderFinder } from '../../../../src-main/node-table/find/provider-finder.js'
import type { ProviderFinder, TableReader } from '../../../../src-main/node-table/find/provider-finder.js'
import type { StatusOutcome } from '../../../../src-main/node-table/status/peer-status.js'
import type { TableView } from '../../../../src-main/node-table/view/view.js'
import { createOwners, createTurnableClock } from '../../../fixtures/table-owners.js'
import type { Owner } from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../../fixtures/table-parts.js'

const clock = createTurnableClock()
let owners: Owner[]
let table: TableParts
let view: TableView
let searches: number
let asked: string[]
/** Whom the DHT names, and who of them shows a row. */
let named: Owner[]
let showing: Set<string>
/** What the DHT waits for before it names that one. */
let beforeNaming: (peerId: string) => Promise<unknown>
/** Those of the named that never answer. */
const SILENT = Array.from({ length: 100 }, (_, index) => ({ peerId: `silent ${index}` }) as Owner)

beforeAll(async () => {
  owners = await createOwners(5)
})

beforeEach(() => {
  table = createTableParts({ clock })
  view = table.view
  searches = 0
  asked = []
  named = []
  showing = new Set()
  beforeNaming = () => Promise.resolve()
})

function finder(reader: TableReader, fullReplicaRows?: number, isPartial?: () => boolean): ProviderFinder {
  const records = {
    async *find(): AsyncGenerator<string> {
      searches += 1
      for (const { peerId } of named) {
        await beforeNaming(peerId)
        yield peerId
      }
    },
  }
  const asker = {
    refreshWithRow(peerId: string): Promise<StatusOutcome> {
      if (peerId.startsWith('silent')) return new Promise(() => undefined)
      asked.push(peerId)
      const owner = owners.find((each) => each.peerId === peerId)
      if (owner !== undefined && showing.has(peerId)) table.ingest(owner.row({ models: ['rare'] }), 'asked')
      return Promise.resolve({ kind: 'unsupported' })
    },
  }
  return createProviderFinder(
    { view, records, asker, monotonic: clock, isPartial },
    { selfId: 'self', reader, fullReplicaRows },
  )
}

const found = async (by: ProviderFinder): Promise<string[]> => [...(await by.find('llm', 'model=rare'))]

test('whoever the DHT names counts only with a row of its own', async () => {
  named = owners
  showing.add(owners[1]!.peerId)
  expect(await found(finder('dht'))).toEqual([owners[1]!.peerId])
})

test('a reader of the full table never asks the DHT; `auto` does from so many rows on', async () => {
  named = [owners[0]!]
  showing.add(owners[0]!.peerId)
  expect([await found(finder('full')), await found(finder('auto', 1)), searches]).toEqual([[], [], 0])
  table.ingest(owners[1]!.row(), 'sync')
  const auto = finder('auto', 1)
  expect([await found(auto), searches, auto.reader()]).toEqual([[owners[0]!.peerId], 1, 'dht'])
})

test('what the table knows is not looked up', async () => {
  table.ingest(owners[0]!.row({ models: ['rare'] }), 'sync')
  expect([await found(finder('dht')), searches]).toEqual([[owners[0]!.peerId], 0])
})

test('many lookups at once are one, and one that found nothing is not repeated for a while', async () => {
  const reader = finder('dht')
  await Promise.all(Array.from({ length: 20 }, () => found(reader)))
  await found(reader)
  expect(searches).toBe(1)
  clock.turn(21_000)
  await found(reader)
  expect(searches).toBe(2)
})

test('a provider that is named after many identities that answer nothing is found all the same', async () => {
  named = [...Array.from({ length: 40 }, (_, index) => ({ peerId: `liar ${index}` }) as Owner), owners[2]!]
  showing.add(owners[2]!.peerId)
  expect(await found(finder('dht'))).toEqual([owners[2]!.peerId])
})

test('a hundred peers that never answer, named before it, do not hide a provider', async () => {
  named = [...SILENT, owners[2]!]
  showing.add(owners[2]!.peerId)
  expect(await found(finder('dht'))).toEqual([owners[2]!.peerId])
})

test('a provider that has shown its row does not keep two more from being looked for, as it may do nothing else', async () => {
  named = owners
  for (const { peerId } of owners) showing.add(peerId)
  const reader = finder('dht')
  expect(await found(reader)).not.toEqual([])
  await expect.poll(() => view.offers.providers('llm', 'model=rare').size).toBeGreaterThanOrEqual(3)
})

test('a lookup asks a bounded number of peers, however many are named', async () => {
  named = Array.from({ length: 500 }, (_, index) => ({ peerId: `liar ${index}` }) as Owner)
  expect(await found(finder('dht'))).toEqual([])
  expect(asked.length).toBeLessThanOrEqual(129)
})

test('a partial table asks the DHT however few rows it has, also where those it knows are away', async () => {
  table.ingest(owners[2]!.row({ models: ['rare'] }), 'sync')
  named = [owners[3]!]
  showing.add(owners[3]!.peerId)
  const partial = finder('auto', 10_000, () => true)
  expect([partial.reader(), await found(partial), searches]).toEqual(['dht', [owners[2]!.peerId], 0])
  const further = await partial.find('llm', 'model=rare', { areAway: true })
  expect([further.has(owners[3]!.peerId), searches]).toEqual([true, 1])
  const whole = finder('auto', 10_000, () => false)
  await whole.find('llm', 'model=rare', { areAway: true })
  expect(searches).toBe(1)
})

test('where the first that was found has failed a request, the next is waited for as long as the lookup goes on', async () => {
  const [liar, honest] = [owners[0]!, owners[1]!]
  const goesOn = Promise.withResolvers<undefined>()
  named = [liar, honest]
  showing = new Set([liar.peerId, honest.peerId])
  beforeNaming = (peerId) => (peerId === honest.peerId ? goesOn.promise : Promise.resolve())
  const reader = finder('dht')
  expect(await found(reader)).toEqual([liar.peerId])
  let isWaiting = true
  const next = reader
    .find('llm', 'model=rare', { areAway: false, failed: new Set([liar.peerId]) })
    .finally(() => (isWaiting = false))
  await new Promise(setImmediate)
  expect(isWaiting).toBe(true)
  goesOn.resolve(undefined)
  expect([...(await next)]).toEqual([liar.peerId, honest.peerId])
  expect(searches).toBe(1)
})

test('a wait for others ends with the lookup where it finds none', async () => {
  named = [owners[0]!]
  showing.add(owners[0]!.peerId)
  const reader = finder('dht')
  const failed = new Set([owners[0]!.peerId])
  expect(await found(reader)).toEqual([owners[0]!.peerId])
  expect([...(await reader.find('llm', 'model=rare', { areAway: false, failed }))]).toEqual([owners[0]!.peerId])
  expect(searches).toBe(1)
})

test('those that have failed a request are not among the providers at which a lookup ends', async () => {
  const [second, fourth] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
  named = owners.slice(0, 4)
  for (const { peerId } of owners) showing.add(peerId)
  const gates = new Map([
    [owners[1]!.peerId, second.promise],
    [owners[3]!.peerId, fourth.promise],
  ])
  beforeNaming = (peerId) => gates.get(peerId) ?? Promise.resolve()
  const reader = finder('dht')
  await found(reader)
  const next = reader.find('llm', 'model=rare', { areAway: false, failed: new Set([owners[0]!.peerId]) })
  second.resolve(undefined)
  await next
  const size = (): number => view.offers.providers('llm', 'model=rare').size
  await expect.poll(size).toBe(3)
  fourth.resolve(undefined)
  await expect.poll(size).toBe(4)
})

test('of a whole table nobody is looked for, whoever has failed', async () => {
  table.ingest(owners[0]!.row({ models: ['rare'] }), 'sync')
  const failed = new Set([owners[0]!.peerId])
  await finder('full').find('llm', 'model=rare', { areAway: false, failed })
  expect(searches).toBe(0)
})

test('a table that looks whole asks the DHT from 128 rows on, as it may be one that heard little of a large network', async () => {
  const many = await createOwners(128)
  const reader = finder('auto')
  for (const owner of many.slice(0, 127)) table.ingest(owner.row(), 'sync')
  expect([reader.reader(), await found(reader), searches]).toEqual(['full', [], 0])
  table.ingest(many[127]!.row(), 'sync')
  await found(reader)
  expect([reader.reader(), searches]).toEqual(['dht', 1])
})
