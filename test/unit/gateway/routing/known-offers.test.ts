import { beforeEach, expect, test } from 'vitest'
import { createKnownOffers, type KnownOffers } from '../../../../src-main/gateway/routing/known-offers.js'
import { ProviderSet, type NodeTable, type Row, type TableEvent } from '../../../../src-main/node-table/index.js'
import { NO_OFFERS } from '../../../fixtures/no-offers.js'
import { recordOffering } from '../../../fixtures/table-owners.js'

const row = (peerId: string, models: readonly string[]): Row => ({
  peerId,
  record: recordOffering(peerId, models),
  seq: 1,
  epoch: 1,
  expiresAtMs: 1,
})

/** Servers of one peer, by port. */
const rowOf = (peerId: string, servers: Readonly<Record<string, readonly string[]>>): Row => {
  const { record, ...rest } = row(peerId, [])
  const service = Object.entries(servers).flatMap(([port, models]) =>
    recordOffering(peerId, models).service.map((one) => ({ ...one, port })),
  )
  return { ...rest, peerId, record: { ...record, service } }
}

let providers: Readonly<Record<string, readonly string[]>>
let tell: (event: TableEvent) => void
let listeners: number
let known: KnownOffers

beforeEach(async () => {
  listeners = 0
  providers = {}
  const table: Pick<NodeTable, 'rows' | 'subscribe' | 'offers' | 'providers'> = {
    providers: (_service, entry) => new ProviderSet(providers[entry]),
    offers: NO_OFFERS,
    rows: () => [row('before', ['old'])].values(),
    subscribe(listener) {
      tell = listener
      listeners += 1
      return () => (listeners -= 1)
    },
  }
  known = createKnownOffers({ table: table as NodeTable })
  await known.start(new AbortController().signal)
})

test('what was there at the start and what came later is known, also after it went', () => {
  tell({ type: 'row:added', row: row('a', ['gpt2']) })
  tell({ type: 'row:removed', peerId: 'a', reason: 'withdrawn' })
  expect(known.offer('llm', 'model=old')).toBe(true)
  expect(known.offer('llm', 'model=gpt2')).toBe(true)
  expect(known.offer('llm', 'model=never')).toBe(false)
  expect(known.offer('tool', 'model=gpt2')).toBe(false)
  expect([known.service('llm'), known.service('tool')]).toEqual([true, false])
})

test('what a server that is there takes out of its list is known no longer, also across its absence', () => {
  tell({ type: 'row:added', row: rowOf('a', { 1: ['first', 'second'], 2: ['other'] }) })
  tell({ type: 'row:changed', row: rowOf('a', { 1: ['second'], 2: ['other'] }) })
  const isKnown = (model: string): boolean => known.offer('llm', `model=${model}`)
  expect(['first', 'second', 'other'].map(isKnown)).toEqual([false, true, true])
  // A server that is away may come back as it was, and it may not.
  tell({ type: 'row:changed', row: rowOf('a', { 2: ['other'] }) })
  expect(isKnown('second')).toBe(true)
  tell({ type: 'row:changed', row: rowOf('a', { 1: ['first'], 2: ['other'] }) })
  expect(['first', 'second', 'other'].map(isKnown)).toEqual([true, false, true])
  tell({ type: 'row:removed', peerId: 'a', reason: 'withdrawn' })
  expect(['first', 'other'].map(isKnown)).toEqual([true, true])
})

test('what one server takes out of its list stays known where another offers it', () => {
  tell({ type: 'row:added', row: rowOf('a', { 1: ['m'], 2: ['m'] }) })
  tell({ type: 'row:changed', row: rowOf('a', { 1: [], 2: ['m'] }) })
  expect(known.offer('llm', 'model=m')).toBe(true)
  providers = { 'model=m': ['a', 'b'] }
  tell({ type: 'row:changed', row: rowOf('a', { 1: [], 2: [] }) })
  expect(known.offer('llm', 'model=m')).toBe(true)
})

test('memory is bounded: the longest unseen is forgotten', () => {
  for (let number = 0; number < 10_000; number += 1) {
    tell({ type: 'row:changed', row: row(`a${number}`, [`m${number}`]) })
    tell({ type: 'row:changed', row: row('b', ['kept']) })
  }
  expect(known.offer('llm', 'model=m0')).toBe(false)
  expect(known.offer('llm', 'model=m9999')).toBe(true)
  expect(known.offer('llm', 'model=kept')).toBe(true)
})

test('nothing is heard after the stop', async () => {
  await known.stop()
  expect(listeners).toBe(0)
})
