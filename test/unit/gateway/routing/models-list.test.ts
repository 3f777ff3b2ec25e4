import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RoutableModel } from '../../../../src-main/gateway/routing/model-catalog.js'
import { listModels, type ModelEntry, pageOf, readPageQuery } from '../../../../src-main/gateway/routing/models-list.js'
import type { LocalService, PeerClass } from '../../../../src-main/services/index.js'
import { seenBy } from '../../../../src-main/services/registry/visibility.js'

const service = (groups: string[], published = true, models: LocalService['models'] = []): LocalService => ({
  id: 'llm@localhost:1',
  name: 'llm',
  host: 'localhost',
  port: 1,
  status: 'connected',
  identityGroups: groups,
  published,
  visibility: published ? 'everyone' : 'me',
  visibilities: new Map(),
  sharedPaths: [],
  serverModelIds: new Map(),
  models,
  problem: undefined,
})

const OWN = service(['model=b', 'all'], true, [{ id: 'b', ownedBy: 'me', created: 7, contextLength: 4096 }])
const PRIVATE = service(['model=private'], false)

function list(asker: 'own' | PeerClass, models: Omit<RoutableModel, 'inTrust'>[]): ModelEntry[] {
  const own = [...new Set(models.flatMap((model) => model.own))]
  return listModels(
    {
      models: { list: () => models.map((model) => ({ ...model, inTrust: new Set<string>() })) },
      registry: { sharedWith: (peers) => own.flatMap((one) => seenBy(one, peers) ?? []) },
      admission: { closed: undefined },
      host: { peerId: 'self' },
    },
    asker,
  )
}

describe('the list of models', () => {
  test('a model of this node and of others is one entry, own models before all others', () => {
    const models = [
      { id: 'a', own: [], peers: ['p1'] },
      { id: 'b', own: [OWN], peers: ['p1', 'p2'] },
    ]
    expect(list('own', models)).toEqual([
      {
        id: 'b',
        object: 'model',
        created: 7,
        owned_by: 'me',
        ocf: { providers: 3, local: true, context_length: 4096, servers: ['self', 'p1', 'p2'] },
      },
      { id: 'a', object: 'model', created: 0, owned_by: 'ocf', ocf: { providers: 1, local: false, servers: ['p1'] } },
    ])
  })

  test('a peer is told this node’s own published models only', () => {
    const models = [
      { id: 'a', own: [], peers: ['p1'] },
      { id: 'b', own: [OWN], peers: ['p1'] },
      { id: 'private', own: [PRIVATE], peers: [] },
    ]
    expect(list('stranger', models).map(({ id, ocf }) => [id, ocf.servers])).toEqual([['b', ['self']]])
    expect(list('own', models).map(({ id }) => id)).toEqual(['b', 'private', 'a'])
  })

  test('of a thousand peers sixteen are named and all are counted', () => {
    const peers = Array.from({ length: 1000 }, (_, number) => `p${number}`)
    const [model] = list('own', [{ id: 'a', own: [], peers }])
    expect(model!.ocf.providers).toBe(1000)
    expect(model!.ocf.servers).toHaveLength(16)
  })
})

const WHOLE = { limit: undefined, after: undefined }
const entries = (count: number, idLength: number, servers: number): ModelEntry[] =>
  list(
    'own',
    Array.from({ length: count }, (_, number) => ({
      id: String(number).padStart(idLength, '0'),
      own: number === count - 1 ? [OWN] : [],
      peers: Array.from({ length: servers }, (__, peer) => `12D3KooW${String(peer).padStart(44, 'x')}`),
    })),
  )
const bytesOf = (page: object): number => Buffer.byteLength(JSON.stringify(page))

describe('a page of the list', () => {
  test('without a limit is all there is, and says so', () => {
    const all = entries(3, 5, 1)
    expect(pageOf(all, WHOLE)).toEqual({
      object: 'list',
      data: all,
      first_id: '00002',
      last_id: '00001',
      has_more: false,
    })
    expect(pageOf([], WHOLE)).toEqual({ object: 'list', data: [], first_id: null, last_id: null, has_more: false })
  })

  test('takes 256 KiB at most, own models first, and names fewer peers before it leaves out models', () => {
    const some = pageOf(entries(500, 20, 16), WHOLE)
    expect([some.data.length, some.has_more, some.data[0]!.ocf.local]).toEqual([500, false, true])
    expect(some.data.map(({ ocf }) => [ocf.providers, ocf.servers.length])[7]).toEqual([16, 2])
    const huge = pageOf(entries(8_000, 200, 16), WHOLE)
    expect([huge.has_more, huge.data[0]!.ocf.local]).toEqual([true, true])
    expect(bytesOf(huge)).toBeLessThanOrEqual(256 * 1024)
  })

  test('follows page by page to every model once, whatever the limit', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 20 }), (count, limit) => {
        const all = count === 0 ? [] : entries(count, 4, 1)
        const seen: string[] = []
        let page = pageOf(all, { limit, after: undefined })
        seen.push(...page.data.map(({ id }) => id))
        while (page.has_more) {
          page = pageOf(all, { limit, after: page.last_id ?? '' })
          expect(page.data.length).toBeLessThanOrEqual(limit)
          seen.push(...page.data.map(({ id }) => id))
        }
        expect(seen).toEqual(all.map(({ id }) => id))
      }),
    )
  })

  test('goes on after a model that is gone meanwhile', () => {
    const left = entries(10, 4, 1).filter(({ id }) => id !== '0003')
    expect(pageOf(left, { limit: 2, after: '0003' }).data.map(({ id }) => id)).toEqual(['0004', '0005'])
    expect(pageOf(left, { limit: 2, after: 'z' }).data).toEqual([])
  })

  test.each(['0', '1001', '-1', '1.5', 'ten', '', '99999'])('with the limit %j is refused', (limit) => {
    expect(() => readPageQuery({ limit })).toThrow(expect.objectContaining({ code: 'invalid_request', param: 'limit' }))
  })

  test('is read from the query', () => {
    expect(readPageQuery({ limit: '1000', after: 'x' })).toEqual({ limit: 1000, after: 'x' })
    expect(readPageQuery({})).toEqual(WHOLE)
  })
})
