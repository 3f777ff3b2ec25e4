import fc from 'fast-check'
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

/** They change what a request means to some server. */
const MEANING = {
  'x-original-url': '/api/delete',
  'x-rewrite-url': '/api/delete',
  'x-http-method-override': 'DELETE',
  'x-custom': '1',
}

/** `FUZZ_RUNS=100000` for a long look. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1_000)

const headerSet = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...Object.keys({ ...SECRETS, ...HOP_BY_HOP, ...FINE, ...MEANING })),
    fc.constantFrom(
      'content-disposition',
      'sec-fetch-dest',
      'x-accel-redirect',
      'openai-project',
      'refresh',
      'x-ocf-hops',
    ),
    fc
      .tuple(
        fc.constantFrom('', 'x-', 'openai-', 'content-', 'accept-', 'if-'),
        fc.stringMatching(/^[a-z][a-z-]{0,12}$/),
      )
      .map((parts) => parts.join('')),
  ),
  fc.oneof(fc.string(), fc.constantFrom('close, x-custom', 'text/html', '/home/anna')),
)

describe('request headers to a stranger’s machine', () => {
  test('request headers for a model are what the server needs and nothing else', () => {
    const sent = requestHeaders({ ...SECRETS, ...HOP_BY_HOP, ...FINE, 'x-custom': '1' }, 'llm')
    expect(sent).toEqual(FINE)
  })

  test('request headers for another service are those of bodies, of negotiating and of parts, and no others', () => {
    const parts = { range: 'bytes=0-9', 'if-none-match': '"a"', 'accept-language': 'de', 'last-event-id': '7' }
    const sent = requestHeaders(
      { ...SECRETS, ...HOP_BY_HOP, ...FINE, ...parts, ...MEANING, 'x-ocf-hops': 'a' },
      'generic',
    )
    expect(sent).toEqual({ ...FINE, ...parts })
  })

  test('request headers for a model name no part of an answer, so that none comes without its beginning', () => {
    expect(requestHeaders({ ...FINE, range: 'bytes=20-', 'if-range': '"a"' }, 'llm')).toEqual(FINE)
  })

  test('between this machine’s app and its own server are all that are not hop-by-hop, ours or of a web page', () => {
    const page = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
    const sent = requestHeaders({ ...SECRETS, ...HOP_BY_HOP, ...FINE, ...MEANING, ...page, 'x-ocf-hops': 'a' }, 'own')
    const { 'proxy-authorization': _, origin: _origin, referer: _referer, ...endToEnd } = SECRETS
    expect(sent).toEqual({ ...endToEnd, ...FINE, ...MEANING })
  })

  test('no request header beyond the lists passes, whatever a peer sends', () => {
    const listed =
      /^(?:accept(?:-charset|-encoding|-language)?|cache-control|content-(?:digest|disposition|encoding|language|length|range|type)|if-(?:match|modified-since|none-match|range|unmodified-since)|last-event-id|range|anthropic-(?:beta|version)|openai-beta)$/
    fc.assert(
      fc.property(headerSet, (headers) => {
        for (const policy of ['llm', 'generic'] as const) {
          const sent = requestHeaders(headers, policy)
          expect(Object.keys(sent).filter((name) => !listed.test(name))).toEqual([])
          for (const name in sent) expect(sent[name]).toBe(headers[name])
        }
        const own = Object.keys(requestHeaders(headers, 'own'))
        expect(own.filter((name) => /^(?:x-ocf-|sec-fetch-|origin$|referer$)/.test(name))).toEqual([])
      }),
      { numRuns },
    )
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
        'openai-organization': 'theirs',
        'x-seen': 'yes',
        'x-accel-redirect': '/etc/passwd',
        'x-sendfile': '/etc/passwd',
        'x-sourcemap': 'http://evil.example/',
        sourcemap: 'http://evil.example/',
        'x-should-retry': 'true',
        'x-ratelimit-remaining-requests': '0',
        refresh: '0; url=http://evil.example/',
        link: '<http://evil.example/>; rel=preload',
        'retry-after': '3',
      },
      'llm',
    )
    expect(got).toEqual({
      'content-type': 'application/json',
      'content-length': '5',
      'openai-processing-ms': '3',
      'retry-after': '3',
    })
  })

  test('no response header beyond the list passes, whatever a stranger’s server sends', () => {
    const listed =
      /^(?:accept-ranges|allow|cache-control|content-(?:digest|disposition|encoding|language|length|range|security-policy|type)|etag|expires|last-modified|openai-(?:model|processing-ms|version)|retry-after|vary|x-content-type-options)$/
    fc.assert(
      fc.property(headerSet, (headers) => {
        for (const policy of ['llm', 'generic'] as const) {
          expect(Object.keys(responseHeaders(headers, policy)).filter((name) => !listed.test(name))).toEqual([])
        }
      }),
      { numRuns },
    )
  })

  test.each([
    ['attachment; filename="report.pdf"', 'attachment; filename="report.pdf"'],
    ['inline; filename=a.txt; size=3', 'inline; filename="a.txt"'],
    ['attachment; filename="/home/anna/report.pdf"', 'attachment; filename="report.pdf"'],
    ['attachment; filename="..\\\\..\\\\evil.exe"', 'attachment; filename="evil.exe"'],
    ['attachment; filename=C:\\Users\\Anna\\x.txt', 'attachment; filename="x.txt"'],
    ['attachment; filename="a%2Fb%252fc"', 'attachment; filename="c"'],
    ["attachment; filename*=UTF-8''%2Fhome%2Fanna%2F%e2%82%ac.txt", "attachment; filename*=UTF-8''%e2%82%ac.txt"],
    [
      'attachment; filename="a"; filename="../b"; filename*=UTF-8\'\'c',
      'attachment; filename="a"; filename*=UTF-8\'\'c',
    ],
    ['attachment; filename=".."', 'attachment'],
    ['form-data; name="x"', 'attachment'],
    ['attachment; filename="/home/anna', 'attachment; filename="anna"'],
  ])('name a file without folders: %s', (from, to) => {
    expect(responseHeaders({ 'content-disposition': from }, 'generic')['content-disposition']).toBe(to)
    expect(responseHeaders({ 'content-disposition': from }, 'own')['content-disposition']).toBe(from)
  })

  test('a file name never leads into a folder, whatever a stranger’s server writes', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '..',
      '"',
      ';',
      '=',
      'a',
      'filename',
      '*',
      "UTF-8''",
      '%2F',
      '%25',
      '2f',
      ' ',
      ':',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const value = `attachment; filename${pieces.join('')}`
        const got = responseHeaders({ 'content-disposition': value }, 'generic')['content-disposition']
        expect(got).toMatch(/^attachment(?:; filename="(?!\.*")[^"/\\:]+"|; filename\*=[\w-]+'[\w-]*'[^"/\\:;]+)*$/)
        expect(decodeURIComponent(String(got).replace(/%(?![0-9a-f]{2})/gi, '%25'))).not.toMatch(/[/\\]/)
      }),
      { numRuns },
    )
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
