import { beforeEach, expect, test } from 'vitest'
import { createKnownOffers, type KnownOffers } from '../../../../src-main/gateway/routing/known-offers.js'
import type { NodeTable, Row, TableEvent } from '../../../../src-main/node-table/index.js'
import { NO_OFFERS } from '../../../fixtures/no-offers.js'
import { recordOffering } from '../../../fixtures/table-owners.js'

const row = (peerId: string, models: readonly string[]): Row => ({
  peerId,
  record: recordOffering(peerId, models),
  seq: 1,
  epoch: 1,
  expiresAtMs: 1,
})

let tell: (event: TableEvent) => void
let listeners: number
let known: KnownOffers

beforeEach(async () => {
  listeners = 0
  const table: Pick<NodeTable, 'rows' | 'subscribe' | 'offers'> = {
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

test('memory is bounded: the longest unseen is forgotten', () => {
  for (let number = 0; number < 10_000; number += 1) {
    tell({ type: 'row:changed', row: row('a', [`m${number}`]) })
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
