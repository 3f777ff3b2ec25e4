import { describe, expect, test } from 'vitest'
import {
  createMatcher,
  createNearMatcher,
  remembering,
  type Route,
  type RoutePlace,
  splitTarget,
} from '../../../../src-main/gateway/routes/route.js'

const route = (path: string, options: Partial<RoutePlace> = {}): Route => ({
  methods: ['GET'],
  path,
  listeners: ['local', 'peer'],
  pages: 'model',
  summary: path,
  handle: () => undefined,
  ...options,
})

const TABLE = [
  route('/'),
  route('/v1/models'),
  route('/v1/models/*'),
  route('/v1/audio/*', { methods: ['POST'], listeners: ['local'] }),
  route('/v1/service/:service/*', { methods: ['GET', 'POST'], listeners: ['local'] }),
  route('/v1/dnt/_node', { methods: ['POST'], pages: 'never', listeners: ['local'] }),
  route('/v1/dnt/_node', { methods: ['DELETE'], pages: 'never', listeners: ['local'] }),
]
const match = createMatcher(TABLE, 'local')

const found = (method: string, path: string) => {
  const result = match(method, path)
  return result.kind === 'found' ? { path: result.route.path, params: result.params } : result.kind
}

describe('a path', () => {
  test('is matched by whole segments', () => {
    expect(found('GET', '/v1/models')).toEqual({ path: '/v1/models', params: {} })
    expect(found('GET', '/v1/modelsx')).toBe('none')
    expect(found('GET', '/v1/models/')).toEqual({ path: '/v1/models/*', params: { rest: '/' } })
    expect(found('GET', '/')).toEqual({ path: '/', params: {} })
    expect(found('GET', '')).toBe('none')
    expect(found('GET', '//')).toBe('none')
  })

  test('keeps its percent-encoding, however odd', () => {
    expect(found('GET', '/v1/models/org%2Fname')).toEqual({ path: '/v1/models/*', params: { rest: '/org%2Fname' } })
    expect(found('POST', '/v1/service/a%20b/x%zz/%2e%2e//y')).toEqual({
      path: '/v1/service/:service/*',
      params: { service: 'a%20b', rest: '/x%zz/%2e%2e//y' },
    })
  })

  test('is never decoded into a route that it did not name', () => {
    expect(found('GET', '/v1%2Fmodels')).toBe('none')
    expect(found('GET', '/v1/%6dodels')).toBe('none')
    expect(found('GET', '/x/../v1/models')).toBe('none')
  })

  test('has a parameter only where its segment is not empty', () => {
    expect(found('GET', '/v1/service//x')).toBe('none')
    expect(found('GET', '/v1/service/llm')).toEqual({
      path: '/v1/service/:service/*',
      params: { service: 'llm', rest: '' },
    })
  })

  test('that is no path matches nothing', () => {
    for (const target of ['*', 'http://evil.example/v1/models', 'v1/models']) expect(found('GET', target)).toBe('none')
  })
})

describe('a method', () => {
  test('that is wrong is answered with the right ones of all routes there', () => {
    expect(match('GET', '/v1/dnt/_node')).toEqual({ kind: 'wrong-method', allowed: ['POST', 'DELETE'], pages: 'never' })
    expect(match('PUT', '/v1/models')).toEqual({ kind: 'wrong-method', allowed: ['GET'], pages: 'model' })
  })

  test('is compared exactly', () => {
    expect(found('get', '/v1/models')).toBe('wrong-method')
  })
})

test('a route of the other listener does not exist', () => {
  const peer = createMatcher(TABLE, 'peer')
  expect(peer('POST', '/v1/audio/speech').kind).toBe('none')
  expect(peer('GET', '/v1/models').kind).toBe('found')
})

test('a target is cut at its first question mark', () => {
  expect(splitTarget('/a?b?c=%3F')).toEqual({ path: '/a', query: '?b?c=%3F' })
  expect(splitTarget('/a')).toEqual({ path: '/a', query: '' })
  expect(splitTarget('/a?')).toEqual({ path: '/a', query: '?' })
})

test('a matcher that remembers says what it was told, and keeps a bounded number', () => {
  const asked: string[] = []
  const remembered = remembering((method, path) => {
    asked.push(`${method} ${path}`)
    return match(method, path)
  })
  for (const [method, path] of [
    ['GET', '/v1/models'],
    ['POST', '/v1/models'],
    ['GET', '/nothing'],
  ] as const) {
    for (const _ of [1, 2]) expect(remembered(method, path)).toEqual(match(method, path))
  }
  expect(asked).toHaveLength(3)
  for (let index = 0; index < 300; index += 1) remembered('GET', `/v1/models/${index}`)
  remembered('GET', '/v1/models')
  expect(asked.filter((line) => line === 'GET /v1/models')).toHaveLength(2)
})

describe('a path near one of the model API', () => {
  const table = [
    ...TABLE,
    route('/v1/chat/completions', { methods: ['POST'], pages: 'model-path' }),
    route('/api/chat', { methods: ['POST'] }),
    route('/metrics', { pages: 'never' }),
  ]
  const near = createNearMatcher(createMatcher(table, 'local'))

  test.each([
    ['POST', '/chat/completions', '/v1/chat/completions'],
    ['POST', '/v1/v1/chat/completions', '/v1/chat/completions'],
    ['POST', '//v1//chat/completions/', '/v1/chat/completions'],
    ['GET', '/models', '/v1/models'],
    ['GET', '//models/a%2Fb', '/v1/models/a%2Fb'],
    ['POST', '/v1/api/chat', '/api/chat'],
    ['GET', '/chat/completions', '/v1/chat/completions'],
  ])('%s %s means %s', (method, path, meant) => {
    expect(near(method, path)?.path).toBe(meant)
  })

  test.each([
    '/metrics',
    '//metrics',
    '/v1/metrics',
    '/v1',
    '/v1/v1',
    '/',
    '//',
    '/nothing',
    '/service/x/y',
    '/v1/_service/x//y',
  ])('%s means nothing else', (path) => {
    expect(near('GET', path)).toBeUndefined()
  })
})
