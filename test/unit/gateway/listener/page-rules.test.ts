import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { monotonicClock } from '../../../../src-main/base/clock.js'
import { createAdmit } from '../../../../src-main/gateway/listener/admit.js'
import { Arrival } from '../../../../src-main/gateway/listener/arrival.js'
import { callerOf } from '../../../../src-main/gateway/listener/page-rules.js'
import type { GatewayNeeds, GatewayOptions } from '../../../../src-main/gateway/needs.js'
import { allRoutes } from '../../../../src-main/gateway/routes/index.js'
import { createMatcher, splitTarget } from '../../../../src-main/gateway/routes/route.js'
import { HandshakeResponse } from '../../../../src-main/p2p/index.js'

const PEER = '12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'
const OPTIONS = { docsDir: null, dashboardUrl: () => undefined } as unknown as GatewayOptions
const FOLLOWED = { subscribe: () => () => undefined }
const NEEDS = {
  ...{ monotonic: monotonicClock, host: { peerId: PEER } },
  ...{ registry: FOLLOWED, trust: FOLLOWED },
} as unknown as GatewayNeeds
const routes = allRoutes(NEEDS, OPTIONS)
const match = createMatcher(routes, 'local')

interface Asked {
  method?: string
  target?: string
  headers?: IncomingHttpHeaders
  isHandshake?: boolean
  corsOrigins?: string[]
  allowedHosts?: string[]
}

/** `pass`, or the code with which a request is refused before its route runs. */
function verdict({ method = 'GET', target = '/', headers = {}, isHandshake = false, ...rest }: Asked): string {
  const { corsOrigins = ['*'], allowedHosts = [] } = rest
  const all = { host: 'localhost:8092', ...(isHandshake ? HANDSHAKE : {}), ...headers }
  const emitter = { once: () => undefined, setHeader: () => undefined }
  const request = { method, url: target, headers: all, rawHeaders: [], socket: emitter } as unknown as IncomingMessage
  const response = isHandshake ? (Object.create(HandshakeResponse.prototype) as HandshakeResponse) : emitter
  const arrival = new Arrival('local', request, response as unknown as ServerResponse)
  const settings = { 'cors-origins': corsOrigins, 'allowed-hosts': allowedHosts }
  try {
    createAdmit({ settings, bindHost: '127.0.0.1' })(
      arrival,
      match(arrival.wantedMethod, splitTarget(arrival.url).path),
    )
    return 'pass'
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const HANDSHAKE = { 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '13' }
const FOREIGN = 'https://page.example'
const LINK = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

test('the table says of each route what web pages may do there', () => {
  const uses = Map.groupBy(routes, ({ pages }) => pages)
  const paths = (use: 'never' | 'navigate'): string[] => [...new Set(uses.get(use)?.map(({ path }) => path))].sort()
  expect(paths('never')).toEqual([
    '/.well-known/libp2p/protocols',
    '/docs/:file',
    '/metrics',
    '/v1/_service/:service/*',
    '/v1/dnt/_node',
    '/v1/dnt/bootstraps',
    '/v1/dnt/peers',
    '/v1/dnt/peers_status',
    '/v1/dnt/stats',
    '/v1/dnt/table',
    '/v1/health',
    '/v1/p2p-service/:peerId/:service/*',
    '/v1/p2p/:peerId/*',
    '/v1/probe/echo',
    '/v1/probe/run',
    '/v1/self',
  ])
  expect(paths('navigate')).toEqual(['/', '/docs', '/openapi.json', '/openapi.yaml'])
})

describe('the sender of a request', () => {
  const own = { host: 'localhost:8092' }
  test.each<[string, IncomingHttpHeaders]>([
    ['program', {}],
    ['program', { referer: 'https://page.example/' }],
    ['program', { 'sec-fetch-mode': 'cors' }],
    ['program', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['own-page', { 'sec-fetch-site': 'same-origin' }],
    ['own-page', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8092' }],
    ['own-page', { 'sec-fetch-site': 'same-origin', origin: 'https://localhost:8092' }],
    ['own-page', { origin: 'http://localhost:8092' }],
    ['foreign-page', { origin: 'https://localhost:8092' }],
    ['foreign-page', { origin: 'http://localhost:8093' }],
    ['foreign-page', { origin: 'null' }],
    ['foreign-page', { origin: '' }],
    ['foreign-page', { origin: 'chrome-extension://abc', 'sec-fetch-site': 'none' }],
    ['foreign-page', { origin: 'http://localhost:8092', 'sec-fetch-site': 'same-site' }],
    ['foreign-page', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['foreign-page', { 'sec-fetch-site': 'same-site' }],
    ['foreign-page', { 'sec-fetch-site': 'cross-site' }],
    ['foreign-page', { 'sec-fetch-site': 'same-origin, cross-site' }],
    ['foreign-page', { 'sec-fetch-site': '' }],
  ])('is a %s with %j', (caller, headers) => expect(callerOf({ ...own, ...headers }, true)).toBe(caller))

  test('is never the gateway’s own page under a name that somebody else may own', () => {
    expect(callerOf({ ...own, origin: 'http://localhost:8092' }, false)).toBe('foreign-page')
    expect(callerOf({ ...own, 'sec-fetch-site': 'same-origin' }, false)).toBe('foreign-page')
  })
})

describe('a web page of another origin', () => {
  const page = { origin: FOREIGN, 'sec-fetch-site': 'cross-site' }

  test.each([
    ['GET', '/v1/models'],
    ['HEAD', '/v1/models/a'],
    ['GET', '/v1/service/llm/v1/models'],
    ['POST', '/v1/chat/completions'],
    ['POST', '/v1/messages/count_tokens?x=1'],
    ['POST', '/v1/audio/transcriptions'],
    ['POST', '/v1/service/llm/v1/chat/completions?x=1'],
    ['POST', '/v1/service/llm/api/chat'],
    ['POST', '/api/chat'],
    ['GET', '/api/tags'],
    ['POST', '/api/show'],
    ['GET', '/nowhere'],
    ['GET', '/v1/chat/completions'],
  ])('may use the model API as far as cors-origins lets it: %s %s', (method, target) => {
    for (const headers of [page, { origin: FOREIGN }, { origin: 'null' }]) {
      const restricted = [FOREIGN, 'null']
      expect(verdict({ method, target, headers })).toBe('pass')
      expect(verdict({ method, target, headers, corsOrigins: restricted })).toBe('pass')
      expect(verdict({ method, target, headers, corsOrigins: ['https://mine.example'] })).toBe('forbidden_origin')
      expect(verdict({ method, target, headers, corsOrigins: [] })).toBe('forbidden_origin')
    }
    const unnamed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
    expect(verdict({ method, target, headers: unnamed })).toBe('pass')
    expect(verdict({ method, target, headers: unnamed, corsOrigins: [FOREIGN] })).toBe('forbidden_origin')
  })

  test.each([
    ['DELETE', '/v1/service/llm/v1/models'],
    ['POST', '/v1/service/llm/v1/load_lora_adapter'],
    ['GET', '/v1/service/llm/v1/chat/completions'],
    ['GET', '/v1/service/llm/'],
    ['GET', '/v1/service/llm'],
    ['POST', '/v1/service/llm/v1/audio/..%2f..%2fapi/pull'],
    ['POST', '/v1/audio/..%2f..%2fapi%2fpull'],
    ['POST', '/v1/images/%2e%2e/%2e%2e/shutdown'],
    ['POST', '/v1/service/echo/v1/chat/completions'],
    ['POST', '/v1/service/%6clm/v1/chat/completions'],
    ['POST', '/v1/_service/llm/v1/chat/completions'],
    ['GET', '/v1/dnt/table?all=1'],
    ['PUT', '/v1/dnt/_node'],
    ['POST', '/metrics'],
  ])('may never use what is not the model API: %s %s', (method, target) => {
    for (const corsOrigins of [['*'], [FOREIGN]]) {
      expect(verdict({ method, target, headers: page, corsOrigins })).toBe('forbidden_origin')
    }
  })

  test('may open the WebSocket of a model and no other', () => {
    const ask = (target: string, corsOrigins = ['*']) =>
      verdict({ target, isHandshake: true, headers: { origin: FOREIGN }, corsOrigins })
    expect(ask('/v1/realtime?model=a')).toBe('pass')
    expect(ask('/v1/service/llm/v1/realtime?model=a')).toBe('pass')
    expect(ask('/v1/realtime?model=a', ['https://mine.example'])).toBe('forbidden_origin')
    for (const target of ['/v1/_service/llm/v1/realtime', '/v1/service/llm/ws', `/v1/p2p/${PEER}/v1/realtime`]) {
      expect(ask(target)).toBe('forbidden_origin')
    }
  })

  test('has its preflights judged as what they ask for', () => {
    const preflight = (target: string, wanted: string, corsOrigins = ['*']) =>
      verdict({
        ...{ method: 'OPTIONS', target, corsOrigins },
        headers: { ...page, 'access-control-request-method': wanted },
      })
    expect(preflight('/v1/chat/completions', 'POST')).toBe('pass')
    expect(preflight('/v1/service/llm/v1/chat/completions', 'POST')).toBe('pass')
    expect(preflight('/v1/service/llm/v1/chat/completions', 'DELETE')).toBe('forbidden_origin')
    expect(preflight('/v1/chat/completions', 'POST', ['https://mine.example'])).toBe('forbidden_origin')
    expect(preflight('/v1/dnt/_node', 'POST')).toBe('forbidden_origin')
    expect(preflight('/v1/health', 'GET')).toBe('forbidden_origin')
  })

  test('may lead a person to the home page and the documentation, in a tab and not in a frame', () => {
    for (const target of ['/', '/docs', '/openapi.yaml']) {
      expect(verdict({ target, headers: LINK, corsOrigins: [] })).toBe('pass')
      for (const dest of ['iframe', 'frame', 'embed', 'object', 'script', 'image', 'empty']) {
        expect(verdict({ target, headers: { ...LINK, 'sec-fetch-dest': dest } })).toBe('forbidden_origin')
      }
      expect(verdict({ target, headers: { ...LINK, origin: FOREIGN } })).toBe('forbidden_origin')
      expect(verdict({ target, method: 'POST', headers: LINK })).toBe('forbidden_origin')
      expect(verdict({ target, headers: { ...LINK, 'sec-fetch-mode': 'no-cors' } })).toBe('forbidden_origin')
    }
    for (const target of ['/metrics', '/v1/health', '/v1/dnt/table', '/v1/_service/llm/']) {
      expect(verdict({ target, headers: LINK })).toBe('forbidden_origin')
    }
  })

  test('reaches no route that is never for pages, whatever its headers, its method and cors-origins are', () => {
    const concrete = (path: string): string =>
      path
        .replace(':service', 'llm')
        .replace(':peerId', PEER)
        .replace(':file', 'start.js')
        .replace('*', 'v1/chat/completions')
    const never = routes.filter(({ pages, listeners }) => pages === 'never' && listeners.includes('local'))
    const sites = ['cross-site', 'same-site', 'same-origin', 'none', '', 'odd', 'none, cross-site']
    const origins: string[] = [
      FOREIGN,
      'null',
      'http://localhost:8093',
      'https://evil.example:8092',
      'http://localhost',
      '',
    ]
    // Of a page are all requests with another origin, and those without one that the browser calls foreign.
    const named = fc.record({
      origin: fc.constantFrom(...origins),
      'sec-fetch-site': fc.option(fc.constantFrom(...sites), { nil: undefined }),
    })
    const unnamed = fc.record({ 'sec-fetch-site': fc.constantFrom('cross-site', 'same-site', '', 'odd') })
    const others = fc.record(
      {
        'sec-fetch-mode': fc.constantFrom('navigate', 'no-cors', 'cors', 'websocket', 'same-origin'),
        'sec-fetch-dest': fc.constantFrom('document', 'iframe', 'image', 'empty', 'script', ''),
        'sec-fetch-user': fc.constant('?1'),
        referer: fc.constantFrom('http://localhost:8092/docs', FOREIGN),
        'x-forwarded-host': fc.constant('localhost'),
        'x-forwarded-for': fc.constant('127.0.0.1'),
        'x-http-method-override': fc.constant('GET'),
        authorization: fc.constant('Bearer x'),
        'access-control-request-method': fc.constantFrom('GET', 'POST', 'DELETE'),
      },
      { requiredKeys: [] },
    )
    const asked = fc.record({
      route: fc.constantFrom(...never),
      from: fc.oneof(named, unnamed),
      others,
      host: fc.constantFrom('localhost:8092', '127.0.0.1:8092', '[::1]:8092', 'node.example.org'),
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
      corsOrigins: fc.constantFrom<string[]>(['*'], [], origins, ['*', FOREIGN]),
      isHandshake: fc.boolean(),
    })
    fc.assert(
      fc.property(asked, ({ route, from, others: rest, host, method, corsOrigins, isHandshake }) => {
        const headers = { host, ...rest, ...from } as IncomingHttpHeaders
        const target = concrete(route.path)
        const code = verdict({
          ...{ method, target, headers, corsOrigins, isHandshake },
          allowedHosts: ['node.example.org'],
        })
        expect(code).toBe('forbidden_origin')
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('a program', () => {
  test('keeps every path, whatever cors-origins says', () => {
    for (const headers of [{}, { 'sec-fetch-site': 'none' }, { referer: FOREIGN }]) {
      for (const target of ['/metrics', '/v1/_service/llm/x', '/v1/dnt/table', '/', '/v1/health']) {
        expect(verdict({ target, headers, corsOrigins: [] })).toBe('pass')
      }
      expect(verdict({ target: '/v1/_service/llm/ws', headers, isHandshake: true, corsOrigins: [] })).toBe('pass')
    }
  })
})

test('the gateway’s own documentation may try every route out', () => {
  const headers = { origin: 'http://localhost:8092', 'sec-fetch-site': 'same-origin' }
  for (const target of ['/metrics', '/v1/_service/llm/x', '/v1/dnt/table', '/v1/health', '/openapi.json']) {
    expect(verdict({ target, headers, corsOrigins: [] })).toBe('pass')
  }
})

describe('a Host that is not surely the gateway’s', () => {
  const under = (host: string | undefined, target: string, rest: Asked = {}) =>
    verdict({ ...rest, target, headers: { ...rest.headers, host } })

  test('opens nothing but the addresses for other nodes', () => {
    expect(under('evil.example', '/v1/dnt/bootstraps')).toBe('pass')
    for (const target of ['/', '/metrics', '/v1/models', '/v1/health', '/v1/dnt/table', '/v1/_service/llm/', '/none']) {
      expect(under('evil.example', target)).toBe('forbidden_host')
    }
    expect(under('evil.example', '/v1/dnt/bootstraps', { headers: { origin: 'http://evil.example' } })).toBe(
      'forbidden_origin',
    )
  })

  test('of a container opens the models to programs, and to pages what cors-origins lets them', () => {
    const host = 'host.docker.internal:8092'
    expect(under(host, '/v1/chat/completions', { method: 'POST', corsOrigins: [] })).toBe('pass')
    for (const target of ['/', '/metrics', '/v1/dnt/table', '/v1/_service/llm/', '/v1/service/echo/x']) {
      expect(under(host, target)).toBe('forbidden_host')
    }
    const headers = { origin: `http://${host}` }
    expect(under(host, '/v1/models', { headers, corsOrigins: [FOREIGN] })).toBe('forbidden_origin')
    expect(under(host, '/metrics', { allowedHosts: ['host.docker.internal'] })).toBe('pass')
  })

  test('is missing in old health checks, which no browser can send', () => {
    expect(under(undefined, '/v1/health')).toBe('pass')
    expect(under(undefined, '/v1/models')).toBe('forbidden_host')
    expect(under(undefined, '/metrics')).toBe('forbidden_host')
  })

  test('is one of the gateway’s where allowed-hosts has it', () => {
    expect(under('node.example.org', '/v1/models', { allowedHosts: ['node.example.org'] })).toBe('pass')
    expect(under('node.example.org', '/v1/models')).toBe('forbidden_host')
  })
})
