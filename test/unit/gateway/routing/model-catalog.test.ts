import { beforeEach, describe, expect, test } from 'vitest'
import { createModelCatalog, type ModelCatalog } from '../../../../src-main/gateway/routing/model-catalog.js'
import type { Row, TableEvent } from '../../../../src-main/node-table/index.js'
import type { LocalService } from '../../../../src-main/services/index.js'
import { NO_OFFERS } from '../../../fixtures/no-offers.js'
import { recordOffering } from '../../../fixtures/table-owners.js'

let rows: Map<string, Row>
let services: Pick<LocalService, 'name' | 'identityGroups' | 'status' | 'models'>[]
let there: Set<string>
let away: Set<string>
let now: number
let catalog: ModelCatalog
/** Who listens to the table, to reachability, to the registry, and to health. */
let heard: { table: ((event: TableEvent) => void)[]; peer: ((peerId: string) => void)[]; other: (() => void)[] }
let scans: number

let told: Map<string, string[]>

beforeEach(async () => {
  rows = new Map()
  services = []
  there = new Set()
  told = new Map()
  away = new Set()
  heard = { table: [], peer: [], other: [] }
  now = 0
  scans = 0
  const into =
    <T>(listeners: T[]) =>
    (listener: T) => {
      listeners.push(listener)
      return () => undefined
    }
  catalog = createModelCatalog({
    table: {
      get: (peerId) => rows.get(peerId),
      rows: () => {
        scans += 1
        return rows.values()
      },
      subscribe: into(heard.table),
      offers: {
        ...NO_OFFERS,
        of: (peerId) => [
          { name: 'llm', status: 'connected', identity_group: (told.get(peerId) ?? []).map((id) => `model=${id}`) },
        ],
      },
    },
    registry: {
      list: () => services as unknown as LocalService[],
      connected: () => services.filter(({ status }) => status === 'connected') as unknown as LocalService[],
      subscribe: into(heard.other),
    },
    health: { isRoutable: (peerId) => !away.has(peerId), subscribe: into(heard.other) },
    reachable: { has: (peerId) => there.has(peerId), subscribe: into(heard.peer) },
    monotonic: { elapsedMs: () => now },
    peerId: 'self',
    isTrusted: (peerId) => peerId === 'friend',
  })
  await catalog.start(new AbortController().signal)
})

function offer(peerId: string, ...models: string[]): void {
  const row: Row = { peerId, record: recordOffering(peerId, models), seq: 1, epoch: 1, expiresAtMs: 0 }
  const type = rows.has(peerId) ? 'row:changed' : 'row:added'
  rows.set(peerId, row)
  for (const listener of heard.table) listener({ type, row })
}
function withdraw(peerId: string): void {
  rows.delete(peerId)
  for (const listener of heard.table) listener({ type: 'row:removed', peerId, reason: 'withdrawn' })
}
function meet(...peerIds: string[]): void {
  for (const peerId of peerIds) {
    there.add(peerId)
    for (const listener of heard.peer) listener(peerId)
  }
}
function serve(...models: string[]): void {
  services.push({
    name: 'llm',
    status: 'connected',
    identityGroups: models.map((model) => `model=${model}`),
    models: [],
  })
  for (const listener of heard.other) listener()
}
const ids = (): string[] => catalog.list().map(({ id }) => id)

test('what a provider tells of its model is read from its row and from what it told in trust', () => {
  offer('p1', 'a')
  offer('p2', 'a')
  rows.get('p2')!.record.service[0]!.model_facts = [{ model: 'a', kind: 'chat', context: 4096, created: 7 }]
  meet('p1', 'p2')
  expect(catalog.facts('a', 'p2')).toMatchObject({ kind: 'chat', contextTokens: 4096, createdAt: 7 })
  expect(catalog.facts('a', 'p1')).toBeUndefined()
  expect(catalog.get('a')?.facts).toMatchObject({ contextTokens: 4096 })
  offer('p2', 'a')
  expect(catalog.facts('a', 'p2')).toBeUndefined()
})

test('what this machine’s server tells of a model comes before what peers tell', () => {
  offer('p1', 'a')
  rows.get('p1')!.record.service[0]!.model_facts = [{ model: 'a', context: 4096 }]
  meet('p1')
  services.push({
    ...{ name: 'llm', status: 'connected', identityGroups: ['model=a'] },
    models: [{ id: 'a', ownedBy: undefined, created: undefined, contextLength: 8192 }],
  })
  for (const listener of heard.other) listener()
  expect(catalog.get('a')?.facts).toMatchObject({ contextTokens: 8192 })
  expect(catalog.facts('a', 'self')).toMatchObject({ contextTokens: 8192 })
  expect(catalog.facts('a', 'p1')).toMatchObject({ contextTokens: 4096 })
})

describe('the catalog of models', () => {
  test('lists what peers offer that are known to be there, as rows and peers come and go', () => {
    offer('p1', 'b', 'a')
    offer('p2', 'b')
    expect(ids()).toEqual([])
    meet('p1')
    const inTrust = new Set()
    expect(catalog.list()).toEqual([
      { id: 'a', own: [], peers: ['p1'], inTrust },
      { id: 'b', own: [], peers: ['p1'], inTrust },
    ])
    meet('p2')
    expect(catalog.get('b')?.peers).toEqual(['p1', 'p2'])
    offer('p1', 'c')
    expect(ids()).toEqual(['b', 'c'])
    withdraw('p2')
    expect(ids()).toEqual(['c'])
    there.delete('p1')
    for (const listener of heard.peer) listener('p1')
    expect(ids()).toEqual([])
  })

  test('lists what trusted peers told beside their rows, and says so', () => {
    offer('p1', 'b')
    meet('p1')
    told.set('p1', ['b', 'secret'])
    for (const listener of heard.peer) listener('p1')
    expect(catalog.get('secret')).toMatchObject({ peers: ['p1'], inTrust: new Set(['p1']) })
    expect(catalog.get('b')).toMatchObject({ peers: ['p1'], inTrust: new Set() })
    told.delete('p1')
    for (const listener of heard.peer) listener('p1')
    expect(ids()).toEqual(['b'])
  })

  test('is not read from the rows again, however many there are and however often it is asked', () => {
    for (let number = 0; number < 1_000; number += 1) offer(`forged-${number}`, `m-${number}`)
    for (let count = 0; count < 10; count += 1) expect(ids()).toEqual([])
    expect(scans).toBe(1)
  })

  test('leaves out a peer that takes no requests, within a second of its saying so', () => {
    offer('p1', 'a')
    meet('p1')
    expect(ids()).toEqual(['a'])
    away.add('p1')
    now += 1_000
    expect(ids()).toEqual([])
  })

  test('holds 8,192 models of other peers, those that came first, and all own ones', () => {
    meet(...Array.from({ length: 50 }, (_, number) => `p${number}`))
    for (let peer = 0; peer < 50; peer += 1) {
      offer(`p${peer}`, ...Array.from({ length: 200 }, (_, number) => `m-${peer}-${number}`))
    }
    serve('mine')
    expect(ids()).toHaveLength(8_193)
    expect(ids()).toContain('m-0-0')
    withdraw('p0')
    offer('late', 'late-one')
    meet('late')
    expect(ids()).toContain('late-one')
  })

  test('says when it changed, and is silent about rows that it does not list', () => {
    let changes = 0
    catalog.subscribe(() => (changes += 1))
    offer('p1', 'a')
    expect(changes).toBe(0)
    meet('p1')
    expect(changes).toBe(1)
  })
})

describe('a name that only looks like another', () => {
  test('is not listed beside a model of this machine, also while its server is stopped', () => {
    meet('p1', 'friend')
    serve('llama3.2')
    offer('p1', 'Llama3.2', 'llama3․2', 'llаma3.2', 'ｌｌａｍａ3.2', 'llama3.1', 'llama3.2')
    expect(ids()).toEqual(['llama3.1', 'llama3.2'])
    services[0] = { ...services[0]!, status: 'down' }
    for (const listener of heard.other) listener()
    expect(ids()).toEqual(['llama3.1', 'llama3.2'])
    expect([catalog.imitatedBy('LLAMA3.2'), catalog.imitatedBy('llama3.2')]).toEqual(['llama3.2', undefined])
  })

  test('is listed where a trusted peer offers it', () => {
    meet('p1', 'friend')
    serve('llama3.2')
    for (const peerId of ['p1', 'friend']) offer(peerId, 'Llama3.2')
    expect(catalog.get('Llama3.2')?.peers).toEqual(['friend'])
  })

  test('of strangers is not listed beside the plain one that is known to be there, and is without it', () => {
    meet('p1', 'p2')
    offer('p1', 'llаma3.2')
    expect(ids()).toEqual(['llаma3.2'])
    offer('p2', 'llama3.2')
    expect(ids()).toEqual(['llama3.2'])
    withdraw('p2')
    expect(ids()).toEqual(['llаma3.2'])
  })

  test('in ASCII hides no name of strangers: two that differ in case are both listed', () => {
    meet('p1', 'p2')
    offer('p1', 'Qwen3')
    offer('p2', 'qwen3')
    expect(ids()).toEqual(['Qwen3', 'qwen3'])
  })
})
