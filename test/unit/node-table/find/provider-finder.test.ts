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
})

function finder(reader: TableReader, fullReplicaRows?: number): ProviderFinder {
  const records = {
    async *find(): AsyncGenerator<string> {
      searches += 1
      await Promise.resolve()
      for (const { peerId } of named) yield peerId
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
  return createProviderFinder({ view, records, asker, monotonic: clock }, { selfId: 'self', reader, fullReplicaRows })
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
  clock.turn(11_000)
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
