import { describe, expect, test } from 'vitest'
import type { AppError } from '#shared/errors.js'
import { nextHops, requestHeaders, responseHeaders } from '../../../../src-main/gateway/forward/headers.js'

const SECRETS = {
  authorization: 'Bearer sk-mine',
  cookie: 'session=1',
  'x-api-key': 'k',
  'x-auth-token': 't',
  'x-forwarded-for': '10.0.0.1',
  'x-real-ip': '10.0.0.1',
  'x-csrf-token': 'c',
  'x-stainless-os': 'Linux',
  forwarded: 'for=10.0.0.1',
  referer: 'http://intranet/',
  origin: 'http://intranet',
  'user-agent': 'app/1 (of me)',
  'proxy-authorization': 'Basic x',
}
const HOP_BY_HOP = {
  connection: 'keep-alive, x-hop',
  'keep-alive': 'timeout=5',
  te: 'trailers',
  trailer: 'x',
  'transfer-encoding': 'chunked',
  upgrade: 'websocket',
  expect: '100-continue',
  host: 'localhost:8092',
  'x-hop': 'named by Connection',
}
const FINE = { accept: 'text/event-stream', 'content-type': 'application/json', 'content-encoding': 'gzip' }

describe('request headers to a stranger’s machine', () => {
  test('request headers for a model are what the server needs and nothing else', () => {
    const sent = requestHeaders({ ...SECRETS, ...HOP_BY_HOP, ...FINE, 'x-custom': '1' }, 'llm')
    expect(sent).toEqual(FINE)
  })

  test('request headers for another service include its extensions, but none that are private', () => {
    const sent = requestHeaders({ ...SECRETS, ...HOP_BY_HOP, ...FINE, 'x-custom': '1', 'x-ocf-hops': 'a' }, 'generic')
    expect(sent).toEqual({ ...FINE, 'x-custom': '1' })
  })

  test('between this machine’s app and its own server are all that are not hop-by-hop, ours or about a web page', () => {
    const page = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
    const sent = requestHeaders({ ...SECRETS, ...HOP_BY_HOP, ...FINE, ...page, 'x-ocf-hops': 'a' }, 'own')
    const { 'proxy-authorization': _, origin: _origin, referer: _referer, ...endToEnd } = SECRETS
    expect(sent).toEqual({ ...endToEnd, ...FINE })
  })
})

describe('response headers of a stranger’s machine', () => {
  test('a stranger’s response headers set no state and no policy in the client’s browser', () => {
    const got = responseHeaders(
      {
        ...HOP_BY_HOP,
        'content-type': 'application/json',
        'content-length': '5',
        'set-cookie': ['a=b'],
        'access-control-allow-origin': '*',
        'strict-transport-security': 'max-age=1',
        'clear-site-data': '"*"',
        'x-computing-node': 'somebody',
        'x-request-id': 'theirs',
        'x-frame-options': 'DENY',
        'content-security-policy': 'x',
        server: 'nginx',
        location: 'http://evil.example/',
        'openai-processing-ms': '3',
        'x-seen': 'yes',
        'retry-after': '3',
      },
      'llm',
    )
    expect(got).toEqual({
      'content-type': 'application/json',
      'content-length': '5',
      'openai-processing-ms': '3',
      'x-seen': 'yes',
      'retry-after': '3',
    })
  })

  test.each(['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/javascript', 'TEXT/HTML; charset=utf-8'])(
    'of type %s come sandboxed',
    (type) => {
      expect(responseHeaders({ 'content-type': type }, 'generic')).toEqual({
        'content-type': type,
        'content-security-policy': 'sandbox',
        'x-content-type-options': 'nosniff',
      })
    },
  )

  test('of this machine’s own server pass, but for cross-origin rules and what is ours', () => {
    const got = responseHeaders(
      { 'set-cookie': ['a=b'], 'access-control-allow-origin': 'x', 'x-request-id': 'theirs', server: 'ollama' },
      'own',
    )
    expect(got).toEqual({ 'set-cookie': ['a=b'], server: 'ollama' })
  })
})

const id = (letter: string): string => `12D3KooW${letter.repeat(44)}`
const OWN = id('Z')

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as AppError).code
  }
  return 'none'
}

describe('the hops of a request', () => {
  test('hops begin with this node and grow by it', () => {
    expect(nextHops(undefined, OWN)).toBe(OWN)
    expect(nextHops(id('a'), OWN)).toBe(`${id('a')},${OWN}`)
    expect(nextHops(` ${id('a')} , ${id('b')}`, OWN)).toBe(`${id('a')},${id('b')},${OWN}`)
    expect(nextHops([id('a'), id('b')], OWN)).toBe(`${id('a')},${id('b')},${OWN}`)
  })

  test('hops that hold this node already are a loop', () => {
    expect(codeOf(() => nextHops(OWN, OWN))).toBe('loop_detected')
    expect(codeOf(() => nextHops(`${id('a')},${OWN},${id('b')}`, OWN))).toBe('loop_detected')
  })

  test('hops are at most eight gateways', () => {
    const path = (count: number): string => Array.from({ length: count }, (_, at) => id('abcdefgh'[at]!)).join(',')
    expect(nextHops(path(7), OWN).split(',')).toHaveLength(8)
    expect(codeOf(() => nextHops(path(8), OWN))).toBe('loop_detected')
  })

  test('hops carry nothing that is no peer id', () => {
    expect(nextHops(`secret note, <script>, ${'x'.repeat(9_000)},, ${id('a')}`, OWN)).toBe(`${id('a')},${OWN}`)
  })
})
