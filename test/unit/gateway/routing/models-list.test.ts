import { expect, test } from 'vitest'
import type { Listener } from '../../../../src-main/gateway/listener/listeners.js'
import { listModels } from '../../../../src-main/gateway/routing/models-list.js'
import type { LocalService } from '../../../../src-main/services/index.js'

const service = (groups: string[], published = true, models: LocalService['models'] = []): LocalService => ({
  id: 'llm@localhost:1',
  name: 'llm',
  host: 'localhost',
  port: 1,
  status: 'connected',
  identityGroups: groups,
  published,
  sharedPaths: [],
  serverModelIds: new Map(),
  models,
  problem: undefined,
})

function list(
  listener: Listener,
  network: { own?: LocalService[]; peers?: Record<string, string[]>; away?: string[] },
): ReturnType<typeof listModels> {
  const { own = [], peers = {}, away = [] } = network
  const entries = new Map(Object.entries(peers).map(([group, ids]) => [group, new Set(ids)]))
  const needs = {
    table: { entries: () => entries },
    registry: { connected: () => own },
    health: { isRoutable: (peerId: string) => !away.includes(peerId) },
    admission: { closed: undefined },
    peerId: 'self',
  }
  return listModels(needs, listener)
}

const OWN = service(['model=b', 'all'], true, [{ id: 'b', ownedBy: 'me', created: 7, contextLength: 4096 }])

test('a model of this node and of others is one entry, this node first', () => {
  expect(list('local', { own: [OWN], peers: { 'model=b': ['p1', 'self', 'p2'], 'model=a': ['p1'] } })).toEqual([
    { id: 'a', object: 'model', created: 0, owned_by: 'ocf', ocf: { providers: 1, local: false, servers: ['p1'] } },
    {
      id: 'b',
      object: 'model',
      created: 7,
      owned_by: 'me',
      ocf: { providers: 3, local: true, context_length: 4096, servers: ['self', 'p1', 'p2'] },
    },
  ])
})

test('a model that nobody routable offers is not listed', () => {
  expect(list('local', { peers: { 'model=a': ['p1'] }, away: ['p1'] })).toEqual([])
  expect(list('local', { peers: { 'model=a': ['p1', 'p2'] }, away: ['p1'] })[0]!.ocf).toMatchObject({ providers: 1 })
})

test('entries that name no single model are none', () => {
  const peers = { 'model=*': ['p1'], all: ['p1'], 'model=': ['p1'], 'role=x': ['p1'], 'model=x=y': ['p1'] }
  expect(list('local', { peers }).map(({ id }) => id)).toEqual(['x=y'])
})

test('a peer is told this node’s own published models only', () => {
  const own = [OWN, service(['model=private'], false)]
  expect(list('peer', { own, peers: { 'model=a': ['p1'] } }).map(({ id }) => id)).toEqual(['b'])
  expect(list('local', { own }).map(({ id }) => id)).toEqual(['b', 'private'])
})

test('of a thousand peers sixteen are named and all are counted', () => {
  const ids = Array.from({ length: 1000 }, (_, number) => `p${number}`)
  const [model] = list('local', { peers: { 'model=a': ids } })
  expect(model!.ocf.providers).toBe(1000)
  expect(model!.ocf.servers).toHaveLength(16)
})
