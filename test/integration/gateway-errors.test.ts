import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRaw, type RawConnection } from '../fixtures/http-server.js'
import { startBusyServer, startEchoServer, startModelServer } from '../fixtures/model-servers/index.js'
import { chat, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const MODEL = 'ocf-demo'
const STRANGER = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'

let node: NodeProcess
let token: string

beforeAll(async () => {
  node = await startNodeProcess({
    flags: [
      '--mode',
      'standalone',
      '--demo-model',
      'on',
      '--demo-model.tokens-per-second',
      '2000',
      '--gateway.max-body',
      '64KiB',
    ],
  })
  await untilListed(node.gateway, MODEL, 10_000)
  const control = JSON.parse(await readFile(join(node.dataDir, 'control.json'), 'utf8')) as { token: string }
  token = control.token
})

afterAll(async () => {
  expect(node.stderr()).not.toContain('a request failed inside this node')
  await node.stop()
})

const portOf = (): number => Number(new URL(node.gateway).port)
const raw = (bytes: string | Buffer): RawConnection => openRaw(portOf(), bytes)

/** Asserts the one shape of errors and returns its code. */
async function codeOf(response: Response): Promise<string> {
  const text = await response.text()
  const body = JSON.parse(text) as { error: Record<string, unknown> }
  expect(Object.keys(body)).toEqual(['error'])
  expect(Object.keys(body.error)).toEqual(['message', 'type', 'code', 'param', 'request_id'])
  expect(body.error['request_id']).toBe(response.headers.get('x-request-id'))
  expect(body.error['message']).toEqual(expect.stringMatching(/[a-z].*[.?]$/))
  expect(response.headers.get('content-type')).toContain('application/json')
  return `${response.status} ${String(body.error['code'])}`
}

const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${node.gateway}${path}`, init)

const postJson = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  get(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

const changeNode = (
  method: 'POST' | 'DELETE',
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  get('/v1/dnt/_node', {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify(body),
  })

describe('a request at fault', () => {
  test.each(['{"model": "ocf-demo"', '[1]', '"text"', '{"model": secret words}'])(
    '%s is invalid_json',
    async (body) => {
      const response = await postJson('/v1/chat/completions', body)
      const copy = response.clone()
      expect(await codeOf(response)).toBe('400 invalid_json')
      expect(await copy.text()).not.toContain('secret')
    },
  )

  test.each(['{}', '{"model": null}', '{"model": ""}', '{"messages": []}'])('%s is missing_model', async (body) => {
    expect(await codeOf(await postJson('/v1/chat/completions', body))).toBe('400 missing_model')
  })

  test('without any body names no model either', async () => {
    expect(await codeOf(await get('/v1/chat/completions', { method: 'POST' }))).toBe('400 missing_model')
  })

  test('for an unknown model is told near names', async () => {
    const response = await chat(node.gateway, { model: 'ocf-dem' })
    const copy = response.clone()
    expect(await codeOf(response)).toBe('404 model_not_found')
    const { error } = (await copy.json()) as { error: { message: string; param: string } }
    expect(error.message).toContain('Did you mean ocf-demo?')
    expect(error.param).toBe('model')
  })

  test('for the model * does not get any model', async () => {
    expect(await codeOf(await chat(node.gateway, { model: '*' }))).toBe('404 model_not_found')
  })

  test('for an unknown service', async () => {
    expect(await codeOf(await get('/v1/service/nobody-has-it/x'))).toBe('404 service_not_found')
    expect(await codeOf(await get('/v1/_service/nobody-has-it/x'))).toBe('404 service_not_found')
  })

  test.each(['a%20b', '..%2f', 'x'.repeat(65), '-x', '%zz'])('for the service %s', async (name) => {
    expect(await codeOf(await get(`/v1/service/${name}/x`))).toBe('400 invalid_service')
  })

  test.each(['not-a-peer', '12D3KooW', '%31%32'])('for the peer %s', async (peer) => {
    expect(await codeOf(await get(`/v1/p2p/${peer}/v1/health`))).toBe('400 invalid_peer_id')
  })

  test('for a peer nobody can find is told in seconds', async () => {
    const startedAt = performance.now()
    expect(await codeOf(await get(`/v1/p2p/${STRANGER}/v1/health`))).toBe('502 upstream_failed')
    expect(performance.now() - startedAt).toBeLessThan(12_000)
  })

  test('with a bad identity header', async () => {
    const response = await postJson('/v1/chat/completions', '{}', { 'x-ocf-identity-group': 'model' })
    expect(await codeOf(response)).toBe('400 invalid_request')
  })

  test('with a path that can not be sent on hurts nobody', async () => {
    const { text } = await raw(
      Buffer.concat([
        Buffer.from('GET /v1/_service/llm/caf'),
        Buffer.from([0xc3, 0xa9]),
        Buffer.from(' HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
      ]),
    ).ended
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(await modelIds(node.gateway)).toContain(MODEL)
  })
})

describe('a way that is not there', () => {
  test.each([
    '/nowhere',
    '/v2/models',
    '/v1',
    '/v1/chat',
    '/v1/dnt',
    '//v1/dnt/table',
    '/v1%2Fmodels',
    '/v1/models/none',
  ])('%s is 404', async (path) => {
    expect(await codeOf(await get(path))).toBe(path === '/v1/models/none' ? '404 model_not_found' : '404 not_found')
  })

  test.each([
    ['ftp://localhost/v1/models', 'absolute'],
    ['*', 'asterisk'],
  ])('the request target %s (%s form) is 404', async (target) => {
    const { text } = await raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`).ended
    expect(text).toMatch(/^HTTP\/1\.1 404 [^]*"code":"not_found"/)
  })

  test.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['PUT', '/v1/dnt/_node', 'POST, DELETE'],
  ])('%s %s is 405 with Allow', async (method, path, allowed) => {
    const response = await get(path, { method })
    expect(response.headers.get('allow')).toBe(`${allowed}, OPTIONS`)
    expect(await codeOf(response)).toBe('405 method_not_allowed')
  })

  test('a model id in the path may be percent-encoded, and only once', async () => {
    const server = await startModelServer({ models: ['org/name 1'] })
    try {
      const added = (await (await changeNode('POST', { name: 'llm', port: server.port })).json()) as { id: string }
      expect(added.id).toBe(`llm@127.0.0.1:${server.port}`)
      await untilListed(node.gateway, 'org/name 1')
      for (const path of ['org%2Fname%201', 'org/name%201']) {
        expect(((await (await get(`/v1/models/${path}`)).json()) as { id: string }).id).toBe('org/name 1')
      }
      expect(await codeOf(await get('/v1/models/org%252Fname%201'))).toBe('404 model_not_found')
      expect(await codeOf(await get('/v1/models/%ff'))).toBe('400 invalid_request')
    } finally {
      await changeNode('DELETE', { name: 'llm', port: server.port })
      await server.close()
    }
  })
})

describe('a Host that a web page could have made point here', () => {
  test.each(['evil.example', 'localhost.evil.example:8092'])('%s is forbidden', async (host) => {
    const { text } = await raw(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`).ended
    expect(text).toMatch(/^HTTP\/1\.1 403 [^]*"code":"forbidden_host"/)
    expect(text).not.toMatch(/access-control/i)
  })
})

describe('a body over the limit', () => {
  const LARGE = `{"model": "${MODEL}", "pad": "${'x'.repeat(100_000)}"}`

  test('is refused by its declared length, and the client can read the answer', async () => {
    expect(await codeOf(await postJson('/v1/chat/completions', LARGE))).toBe('413 body_too_large')
  })

  test('is refused before it was sent, and the connection ends', async () => {
    const connection = raw(
      'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{',
    )
    await until(() => connection.seen().includes('body_too_large'), { what: 'the answer came' })
    await connection.ended
  })

  test('is refused in chunks while the client still sends, and it can read the answer', async () => {
    const request = httpRequest(`${node.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    const answered = once(request, 'response')
    request.write('{"prompt":"')
    // 8 MiB: far more than the sockets between us hold.
    for (let sent = 0; sent < 128; sent += 1) {
      if (!request.write(Buffer.alloc(65_536, 'x'))) await Promise.race([once(request, 'drain'), answered])
    }
    request.end()
    const [response] = (await answered) as [{ statusCode: number; resume(): void }]
    expect(response.statusCode).toBe(413)
    response.resume()
  })
})

test('a body that is no JSON is refused while it is still coming', async () => {
  const request = httpRequest(`${node.gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })
  const answered = once(request, 'response')
  request.write('{"prompt":x')
  const [response] = (await answered) as [{ statusCode: number; resume(): void }]
  expect(response.statusCode).toBe(400)
  request.destroy()
})

describe('changing this node', () => {
  test('needs the control token', async () => {
    const body = { name: 'echo', port: 1 }
    for (const authorization of ['', 'Bearer ', 'Bearer wrong', `Bearer ${token}x`, `Basic ${token}`, token]) {
      expect(await codeOf(await changeNode('POST', body, { authorization }))).toBe('401 unauthorized')
    }
  })

  test('takes JSON only, and what fits', async () => {
    expect(await codeOf(await changeNode('POST', {}, { 'content-type': 'text/plain' }))).toBe(
      '415 unsupported_media_type',
    )
    expect(await codeOf(await changeNode('POST', { name: 'x' }))).toBe('400 invalid_request')
    expect(await codeOf(await changeNode('POST', { name: 'x', port: 1, host: 'evil.example' }))).toBe(
      '400 invalid_service',
    )
    expect(await codeOf(await changeNode('POST', { name: 'x', port: 1, identity_group: ['gpt2'] }))).toBe(
      '400 invalid_service',
    )
    expect(await codeOf(await changeNode('DELETE', { name: 'nobody' }))).toBe('404 service_not_found')
    expect(await codeOf(await changeNode('POST', { name: 'x'.repeat(70_000) }))).toBe('413 body_too_large')
  })

  test('adds a service and withdraws it', async () => {
    const echo = await startEchoServer()
    try {
      const added = await changeNode('POST', { name: 'echo', port: echo.port, identity_group: ['all'] })
      expect(added.status).toBe(201)
      await until(async () => (await get('/v1/_service/echo/hello?x=%2F')).status === 200, { what: 'echo serves' })
      const through = await get('/v1/service/echo/a%2Fb?x=%2F', { headers: { 'x-ocf-fallback': '2' } })
      expect([through.status, through.headers.get('x-seen-url')]).toEqual([200, '/a%2Fb?x=%2F'])
      expect(through.headers.get('x-computing-node')).toBe(node.peerId)
      const removed = await changeNode('DELETE', { name: 'echo' })
      expect(await removed.json()).toEqual({ removed: [`echo@127.0.0.1:${echo.port}`] })
      expect(await codeOf(await get('/v1/_service/echo/hello'))).toBe('404 service_not_found')
    } finally {
      await echo.close()
    }
  })

  test('is never open to a web page', async () => {
    const origin = { origin: 'https://page.example' }
    const answers = [
      await changeNode('POST', {}, origin),
      await get('/v1/dnt/_node', { headers: origin }),
      await get('/v1/dnt/_node', {
        method: 'OPTIONS',
        headers: {
          ...origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      }),
      await get('/v1/dnt/_node', { method: 'OPTIONS', headers: { ...origin, 'access-control-request-method': 'PUT' } }),
      await get('/metrics', { headers: origin }),
    ]
    for (const { headers } of answers) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  test('wrong control tokens are rate limited, and the right one still passes', async () => {
    const guesses = Array.from({ length: 25 }, (_, guess) =>
      changeNode('POST', { name: 'echo', port: 1 }, { authorization: `Bearer guess-${guess}` }),
    )
    const answers = await Promise.all(guesses)
    const limited = answers.filter(({ status }) => status === 429)
    expect(limited.length).toBeGreaterThanOrEqual(5)
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await codeOf(await changeNode('DELETE', { name: 'nobody' }))).toBe('404 service_not_found')
  })
})

describe('a loop', () => {
  test('is refused where the request has been here before', async () => {
    const response = await chat(
      node.gateway,
      { model: MODEL },
      { headers: { 'content-type': 'application/json', 'x-ocf-hops': `${STRANGER},${node.peerId}` } },
    )
    expect(await codeOf(response)).toBe('508 loop_detected')
  })

  test('through a service that points at this very gateway ends at once', async () => {
    await changeNode('POST', { name: 'mirror', port: portOf(), health_path: '/v1/health', identity_group: ['all'] })
    try {
      await until(async () => (await get('/v1/_service/mirror/v1/health')).status === 200, { what: 'mirror serves' })
      const path = '/v1/service/mirror/v1/service/mirror/v1/health'
      const response = await get(path, { headers: { 'x-ocf-fallback': '2' } })
      expect(response.status).toBe(508)
      const { error } = (await response.json()) as { error: { code: string } }
      expect(error.code).toBe('loop_detected')
    } finally {
      await changeNode('DELETE', { name: 'mirror' })
    }
  })
})

describe('a server behind this node', () => {
  test.each([
    [429, '429 provider_busy', '7'],
    [503, '503 no_provider', '7'],
    [504, '504 upstream_timeout', null],
    [502, '502 upstream_failed', null],
  ] as const)('that answers %i is told as %s', async (status, code, retryAfter) => {
    const busy = await startBusyServer({ status, retryAfterS: 7 })
    try {
      await changeNode('POST', { name: 'llm', port: busy.port })
      await untilListed(node.gateway, 'test-model')
      const response = await chat(node.gateway, { model: 'test-model' })
      expect(response.headers.get('retry-after')).toBe(retryAfter)
      expect(await codeOf(response)).toBe(code)
    } finally {
      await changeNode('DELETE', { name: 'llm', port: busy.port })
      await busy.close()
    }
  })

  test('that is gone is 502 or 503 and never a 200', async () => {
    const server = await startEchoServer()
    await changeNode('POST', { name: 'llm', port: server.port })
    await untilListed(node.gateway, 'test-model')
    await server.close()
    try {
      const code = await codeOf(await chat(node.gateway, { model: 'test-model' }))
      expect(code).toMatch(/^(502 upstream_failed|503 no_provider)$/)
      await until(async () => (await codeOf(await chat(node.gateway, { model: 'test-model' }))) === '503 no_provider', {
        what: 'the model is known but away',
      })
    } finally {
      await changeNode('DELETE', { name: 'llm', port: server.port })
    }
  })
})

describe('cross-origin rules', () => {
  const preflight = (origin: string): Record<string, string> => ({
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type, authorization, x-stainless-os',
    'access-control-request-private-network': 'true',
  })

  test('let any page ask, without credentials', async () => {
    const asked = await get('/v1/chat/completions', { method: 'OPTIONS', headers: preflight('https://page.example') })
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe('*')
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
    expect(asked.headers.get('access-control-allow-headers')).toContain('x-stainless-os')
    expect(asked.headers.get('access-control-allow-private-network')).toBe('true')
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull()
  })

  test('let the page read our headers, of errors too', async () => {
    for (const model of [MODEL, 'nobody-has-it']) {
      const response = await chat(
        node.gateway,
        { model, max_tokens: 2 },
        { headers: { 'content-type': 'application/json', origin: 'https://page.example' } },
      )
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      const exposed = response.headers.get('access-control-expose-headers')
      for (const name of ['X-Computing-Node', 'X-Request-Id', 'X-Ocf-Tries', 'Server-Timing']) {
        expect(exposed).toContain(name)
      }
      await response.text()
    }
  })

  test('name the configured origins alone', async () => {
    const other = await startNodeProcess({
      flags: ['--mode', 'standalone', '--demo-model', 'off', '--cors-origins', 'https://mine.example'],
    })
    try {
      const allowed = async (origin: string): Promise<string | null> => {
        const response = await fetch(`${other.gateway}/v1/models`, { headers: { origin } })
        return response.headers.get('access-control-allow-origin')
      }
      expect(await allowed('https://mine.example')).toBe('https://mine.example')
      expect(await allowed('https://page.example')).toBeNull()
      expect(await allowed('null')).toBeNull()
    } finally {
      await other.stop()
    }
  })
})

describe('the request id', () => {
  test('is the client’s own where it is harmless', async () => {
    expect((await get('/v1/health', { headers: { 'x-request-id': 'abc-1:2.3_Z' } })).headers.get('x-request-id')).toBe(
      'abc-1:2.3_Z',
    )
    for (const id of ['a b', '<script>', 'x'.repeat(65)]) {
      const given = (await get('/nowhere', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
      expect(given).toMatch(/^[\w-]{8,32}$/)
    }
  })

  test('is there on answers of a provider', async () => {
    const response = await chat(
      node.gateway,
      { model: MODEL, max_tokens: 2 },
      { headers: { 'content-type': 'application/json', 'x-request-id': 'mine' } },
    )
    expect(response.headers.get('x-request-id')).toBe('mine')
    expect(response.headers.get('x-ocf-tries')).toBe('1')
    expect(response.headers.get('server-timing')).toMatch(/^select;dur=[\d.]+, connect;dur=[\d.]+, ttfb;dur=[\d.]+$/)
    await response.text()
  })
})

describe('bytes that two servers could read differently', () => {
  const chunked = 'Transfer-Encoding: chunked\r\n'
  const head = (headers: string, body = ''): string =>
    `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`

  test.each([
    ['length and chunks', head(`Content-Length: 5\r\n${chunked}`, '0\r\n\r\n')],
    ['two lengths', head('Content-Length: 5\r\nContent-Length: 6\r\n', 'abcde')],
    ['two equal lengths', head('Content-Length: 5\r\nContent-Length: 5\r\n', 'abcde')],
    ['a list of lengths', head('Content-Length: 5, 6\r\n', 'abcde')],
    ['a signed length', head('Content-Length: +5\r\n', 'abcde')],
    ['a length that overflows', head('Content-Length: 99999999999999999999999\r\n')],
    ['an encoding besides chunks', head('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
    ['chunks not last', head('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n')],
    ['bare line feeds', 'POST /v1/chat/completions HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n'],
    ['a space before the colon', head('Content-Length : 5\r\n', 'abcde')],
    ['a folded header', head('X-A: b\r\n c\r\n')],
    ['a bare carriage return', head('X-A: b\rContent-Length: 5\r\n')],
    ['a null byte', head('X-A: b\0c\r\n')],
    ['a chunk size that is none', head(chunked, 'zz\r\n')],
    ['a chunk size that overflows', head(chunked, 'fffffffffffffffff\r\n')],
    ['a chunk extension with a line feed', head(chunked, '1;a\nb\r\nx\r\n0\r\n\r\n')],
    ['no Host', 'GET /v1/models HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'],
    ['a space in the target', 'GET /v1/models x HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
  ])('%s: refused with 400, and the connection ends', async (_name, bytes) => {
    const { text } = await raw(bytes).ended
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(text.split('HTTP/1.1 ')).toHaveLength(2)
    expect(text).toMatch(/connection: close/i)
  })

  test('are refused in the shape of all errors', async () => {
    const { text } = await raw(head('Content-Length: x\r\n')).ended
    const { error } = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { error: Record<string, unknown> }
    expect(error).toMatchObject({ code: 'invalid_request', type: 'invalid_request_error', param: null })
  })

  const NO_HOST = (path: string): string => `POST ${path} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`
  const NO_HTTP = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n`

  test.each([
    ['no Host', NO_HOST, 'A request names one Host (RFC 9112 §3.2), and this one names none.'],
    ['what the parser refuses', NO_HTTP, 'This is not a well-formed HTTP request (Bad Request).'],
  ])('%s is refused in the shape that the interface has for its errors', async (_name, bytes, message) => {
    const refusal = async (path: string): Promise<{ ids: Record<string, string>; body: object }> => {
      const { text } = await raw(bytes(path)).ended
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
      const [top = '', body = ''] = text.split('\r\n\r\n')
      const ids = Object.fromEntries(
        [...top.matchAll(/^(x-request-id|request-id): (\S+)/gim)].map(([, k, v]) => [k, v]),
      )
      return { ids, body: JSON.parse(Buffer.from(body, 'latin1').toString()) as object }
    }
    const openai = await refusal('/v1/chat/completions')
    const request_id = openai.ids['X-Request-Id']
    expect(openai.body).toMatchObject({ error: { code: 'invalid_request', message, request_id } })
    const anthropic = await refusal('/v1/messages')
    const error = { type: 'invalid_request_error', message }
    expect(anthropic.body).toMatchObject({ type: 'error', error, request_id: anthropic.ids['Request-Id'] })
    expect(Object.keys(anthropic.ids).sort()).toEqual(['Request-Id', 'X-Request-Id'])
    expect((await refusal('/api/chat')).body).toMatchObject({ error: message, code: 'invalid_request' })
  })

  test('an expectation that is not known is passed over, and one that is met', async () => {
    for (const expected of ['foo', '200-ok, 100-continue']) {
      const ask = `GET /v1/health HTTP/1.1\r\nHost: localhost\r\nExpect: ${expected}\r\nConnection: close\r\n\r\n`
      expect((await raw(ask).ended).text).toMatch(/HTTP\/1\.1 200 OK\r\n[^]*"status":"ok"/)
    }
  })

  test('headers without end are 431', async () => {
    const { text } = await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${'x'.repeat(40_000)}\r\n\r\n`).ended
    expect(text).toMatch(/^HTTP\/1\.1 431 /)
  })
})

describe('what works', () => {
  test.each(['/', '/v1/health', '/v1/models', '/v1/dnt/table', `/v1/models/${MODEL}`])('HEAD %s', async (path) => {
    const response = await get(path, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0)
  })

  test('curl -d without a content type', async () => {
    const response = await fetch(`${node.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 }),
    })
    expect(response.status).toBe(200)
    await response.text()
  })

  test('two hundred requests at once, streamed and not', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const stream = index % 2 === 0
        const response = await chat(node.gateway, { model: MODEL, max_tokens: 4, stream })
        const text = await response.text()
        return `${response.status} ${stream ? text.trim().endsWith('data: [DONE]') : text.startsWith('{')}`
      }),
    )
    expect(new Set(answers)).toEqual(new Set(['200 true']))
  })

  test('pipelined requests are answered in order', async () => {
    const ask = (id: string, end = ''): string =>
      `GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\n${end}\r\n`
    const { text } = await raw(`${ask('one')}${ask('two')}${ask('three', 'Connection: close\r\n')}`).ended
    expect([...text.matchAll(/x-request-id: (\w+)/gi)].map(([, id]) => id)).toEqual(['one', 'two', 'three'])
  })
})
