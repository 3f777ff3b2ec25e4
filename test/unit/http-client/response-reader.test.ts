import { once } from 'node:events'
import { request as nodeRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { MalformedAnswerError } from '../../../src-main/http-client/errors.js'
import { parseResponseHead, type ResponseHead } from '../../../src-main/http-client/response-reader.js'
import { startBareServer, type BareServer } from '../../fixtures/bare-server.js'

const head = (...lines: string[]): string => lines.join('\r\n')
const read = (text: string, method = 'GET'): ResponseHead => parseResponseHead(text, method)

describe('a status line', () => {
  test.each([
    ['HTTP/1.1 200 OK', 200],
    ['HTTP/1.0 200 OK', 200],
    ['HTTP/1.1 200', 200],
    ['HTTP/1.1 200 ', 200],
    ['HTTP/1.1 404 Not\tFound', 404],
    ['HTTP/1.1 100 Continue', 100],
    ['HTTP/1.1 999 x', 999],
    ['HTTP/1.1 200 d\xe9j\xe0', 200],
  ])('%j is read', (line, status) => {
    expect(read(line).status).toBe(status)
  })

  test.each([
    '',
    ' ',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 20',
    'HTTP/1.1 2000',
    'HTTP/1.1 200OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 099 x',
    'HTTP/1.1 -20 x',
    'HTTP/1.1 2e2 x',
    'HTTP/1.2 200 OK',
    'HTTP/2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/11.1 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    'SSH-2.0-OpenSSH',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 O\nK',
    'HTTP/1.1 200 O\x7fK',
    'HTTP/1.1 200 OK\n',
    'HTTP/1.1 200 OK\r',
  ])('%j is refused', (line) => {
    expect(() => read(line)).toThrow(MalformedAnswerError)
  })
})

describe('a header', () => {
  test.each<[string, IncomingHttpHeaders]>([
    ['A: b', { a: 'b' }],
    ['A:b', { a: 'b' }],
    ['A: \t b \t ', { a: 'b' }],
    ['A:', { a: '' }],
    ['A:   ', { a: '' }],
    ['A: b: c', { a: 'b: c' }],
    ['A: \x80\xff', { a: '\x80\xff' }],
    ['A: b\tc', { a: 'b\tc' }],
    ["!#$%&'*+-.^_`|~9: b", { "!#$%&'*+-.^_`|~9": 'b' }],
    ['Constructor: b', { constructor: 'b' }],
    ['ToString: b', { tostring: 'b' }],
    ['hasOwnProperty: b', { hasownproperty: 'b' }],
    ['0: b', { 0: 'b' }],
  ])('%j is read', (line, headers) => {
    expect(read(head('HTTP/1.1 200 OK', line)).headers).toEqual(headers)
  })

  test.each([
    'A',
    'A b',
    ': b',
    ' : b',
    'A : b',
    'A\t: b',
    ' A: b',
    '\tA: b',
    'A\0: b',
    'A(: b',
    'A\xe9: b',
    'A: b\0',
    'A: b\x01',
    'A: b\x7f',
    'A: b\rc',
    'A: b\nc',
    'A: b\nC: d',
    'A: b\r',
    '\rA: b',
    '__proto__: b',
    '__PROTO__: b',
    '__Proto__: b',
  ])('%j is refused', (line) => {
    expect(() => read(head('HTTP/1.1 200 OK', line))).toThrow(MalformedAnswerError)
    expect(() => read(head('HTTP/1.1 200 OK', 'X: y', line))).toThrow(MalformedAnswerError)
    expect(() => read(head('HTTP/1.1 200 OK', line, 'X: y'))).toThrow(MalformedAnswerError)
  })

  test('of a folded line is refused', () => {
    expect(() => read(head('HTTP/1.1 200 OK', 'A: b', ' c'))).toThrow(MalformedAnswerError)
    expect(() => read(head('HTTP/1.1 200 OK', 'A:', '\tc'))).toThrow(MalformedAnswerError)
  })

  test('that comes twice is joined, stands alone or is a list as with Node’s own client', () => {
    const { headers } = read(
      head(
        'HTTP/1.1 200 OK',
        'X: 1',
        'x: 2',
        'X:',
        'Set-Cookie: a',
        'set-cookie: b',
        'Content-Type: a/b',
        'content-type: c/d',
      ),
    )
    expect(headers).toEqual({ x: '1, 2, ', 'set-cookie': ['a', 'b'], 'content-type': 'a/b' })
    expect(read(head('HTTP/1.1 200 OK', 'Set-Cookie: a')).headers['set-cookie']).toEqual(['a'])
  })

  test('can not reach the prototype of anything', () => {
    const { headers } = read(head('HTTP/1.1 200 OK', 'constructor: a', 'constructor: b', 'prototype: c'))
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['prototype']).toBeUndefined()
    expect(Object.hasOwn(headers, 'constructor') && headers['constructor']).toBe('a, b')
  })

  test('comes sixteen thousand times without taking time for each of them again', () => {
    const startedAt = performance.now()
    for (const line of ['a:', 'a: b', 'set-cookie:']) read(head('HTTP/1.1 200 OK', ...Array<string>(10_000).fill(line)))
    read(head('HTTP/1.1 200 OK', ...Array.from({ length: 10_000 }, (_, index) => `${index}:`)))
    read(head('HTTP/1.1 200 OK', `a: ${' '.repeat(60_000)}b${'\t '.repeat(30_000)}`))
    read(head('HTTP/1.1 200 OK', `keep-alive: ${'timeout '.repeat(8_000)}`, `connection: ${', '.repeat(30_000)}`))
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe('the end of a body', () => {
  const framed = (lines: string[], method = 'GET', status = 'HTTP/1.1 200 OK') => read(head(status, ...lines), method)

  test.each([
    [['Content-Length: 5'], { kind: 'length', bytes: 5 }],
    [['Content-Length:   5  '], { kind: 'length', bytes: 5 }],
    [['Content-Length: 0'], { kind: 'none' }],
    [['Content-Length: 999999999999999'], { kind: 'length', bytes: 999_999_999_999_999 }],
    [['Transfer-Encoding: chunked'], { kind: 'chunked' }],
    [['transfer-encoding: CHUNKED'], { kind: 'chunked' }],
    [[], { kind: 'close' }],
  ])('is told by %j', (lines, framing) => {
    expect(framed(lines).framing).toEqual(framing)
  })

  test.each([
    [['Content-Length: 5', 'Content-Length: 5']],
    [['Content-Length: 5', 'Content-Length: 6']],
    [['Content-Length: 5, 5']],
    [['Content-Length: +5']],
    [['Content-Length: -5']],
    [['Content-Length: 0x5']],
    [['Content-Length: 5e0']],
    [['Content-Length: 5.0']],
    [['Content-Length: 5 5']],
    [['Content-Length:']],
    [['Content-Length: \xb2']],
    [['Content-Length: 9999999999999999']],
    [['Content-Length: 18446744073709551621']],
    [['Content-Length: 5', 'Transfer-Encoding: chunked']],
    [['Transfer-Encoding: chunked', 'Content-Length: 0']],
    [['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    [['Transfer-Encoding: chunked, chunked']],
    [['Transfer-Encoding: gzip, chunked']],
    [['Transfer-Encoding: gzip']],
    [['Transfer-Encoding: identity']],
    [['Transfer-Encoding: xchunked']],
    [['Transfer-Encoding: chunked;a=b']],
    [['Transfer-Encoding: "chunked"']],
    [['Transfer-Encoding:']],
    [['Transfer-Encoding: \x0bchunked']],
  ])('is not told by %j', (lines) => {
    expect(() => framed(lines)).toThrow(MalformedAnswerError)
    expect(() => framed(lines, 'HEAD')).toThrow(MalformedAnswerError)
    expect(() => framed(lines, 'GET', 'HTTP/1.1 204 x')).toThrow(MalformedAnswerError)
  })

  test.each([
    ['HEAD', '200'],
    ['GET', '204'],
    ['GET', '304'],
    ['GET', '100'],
    ['GET', '103'],
    ['GET', '199'],
  ])('of an answer to %s with %s is its head, whatever it says', (method, status) => {
    for (const lines of [[], ['Content-Length: 5'], ['Transfer-Encoding: chunked']]) {
      expect(framed(lines, method, `HTTP/1.1 ${status} x`).framing).toEqual({ kind: 'none' })
    }
  })
})

describe('a connection', () => {
  const kept = (status: string, ...lines: string[]): boolean =>
    read(head(status, 'Content-Length: 1', ...lines)).keepAlive

  test.each([
    [true, 'HTTP/1.1 200 OK', []],
    [true, 'HTTP/1.1 200 OK', ['Connection: keep-alive']],
    [true, 'HTTP/1.1 200 OK', ['Connection: x-closed, upgrade']],
    [false, 'HTTP/1.1 200 OK', ['Connection: close']],
    [false, 'HTTP/1.1 200 OK', ['Connection: CLOSE']],
    [false, 'HTTP/1.1 200 OK', ['Connection: keep-alive, Close']],
    [false, 'HTTP/1.1 200 OK', ['Connection: keep-alive', 'Connection: close']],
    [false, 'HTTP/1.1 200 OK', ['Connection: close', 'Connection: keep-alive']],
    [false, 'HTTP/1.0 200 OK', []],
    [true, 'HTTP/1.0 200 OK', ['Connection: Keep-Alive']],
    [false, 'HTTP/1.0 200 OK', ['Connection: keep-alive, close']],
  ])('is kept: %s, with %s %j', (expected, status, lines) => {
    expect(kept(status, ...lines)).toBe(expected)
  })

  test('is not kept behind a body that it ends', () => {
    expect(read(head('HTTP/1.1 200 OK', 'Connection: keep-alive')).keepAlive).toBe(false)
  })

  test('is not kept behind chunks of HTTP/1.0, which does not know them', () => {
    const answer = read(head('HTTP/1.0 200 OK', 'Connection: keep-alive', 'Transfer-Encoding: chunked'))
    expect([answer.keepAlive, answer.framing.kind]).toEqual([false, 'chunked'])
  })

  test.each([
    ['timeout=5', 5_000],
    ['timeout=5, max=100', 5_000],
    ['max=100, timeout=5', 5_000],
    ['max=100,Timeout = "5"', 5_000],
    ['timeout=0', 0],
    ['timeout=9999999', 999_999_000],
    ['timeout', undefined],
    ['timeout=', undefined],
    ['timeout=-5', undefined],
    ['xtimeout=5', undefined],
    ['', undefined],
  ])('with Keep-Alive: %s is kept for %s ms', (value, ms) => {
    expect(read(head('HTTP/1.1 200 OK', 'Content-Length: 1', `Keep-Alive: ${value}`)).keepAliveMs).toBe(ms)
  })
})

describe('beside Node’s own client', () => {
  let server: BareServer | undefined
  afterEach(() => server?.close())

  test('every head it reads is read as it reads it, or refused', { timeout: 60_000 }, async () => {
    let answer = ''
    server = await startBareServer((socket) => socket.end(answer, 'latin1'))
    const { port } = server
    async function byNode(): Promise<{ status: number; headers: IncomingHttpHeaders } | undefined> {
      const request = nodeRequest({ port, host: '127.0.0.1', method: 'GET', agent: false }).end()
      try {
        const [message] = (await once(request, 'response')) as [IncomingMessage]
        message.on('error', () => undefined).resume()
        return { status: message.statusCode!, headers: message.headers }
      } catch {
        return undefined
      }
    }
    const name = fc.constantFrom(
      'X-A',
      'x-a',
      'Set-Cookie',
      'Content-Type',
      'Location',
      'Vary',
      'Link',
      'ETag',
      'Retry-After',
      'Age',
      'Server',
      'X B',
      'X\0',
      '',
    )
    const value = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 6 }),
    )
    const separator = fc.constantFrom(': ', ':', ' : ', ':\t ', ' ')
    const line = fc.tuple(name, separator, value, fc.constantFrom('', ' ', '\t')).map((parts) => parts.join(''))
    const status = fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.0 404', 'HTTP/1.1 500 ', 'HTTP/1.1 20 X', 'HTTP/3 200 OK')
    let both = 0
    let neither = 0
    await fc.assert(
      fc.asyncProperty(status, fc.array(line, { maxLength: 6 }), async (first, lines) => {
        const text = head(first, ...lines)
        // What ends the head earlier is another head.
        fc.pre(!text.includes('\r\n\r\n'))
        answer = `${text}\r\n\r\n`
        const theirs = await byNode()
        let ours: ResponseHead | undefined
        try {
          ours = parseResponseHead(text, 'GET')
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedAnswerError)
        }
        if (ours === undefined) {
          if (theirs === undefined) neither += 1
          return
        }
        both += 1
        expect({ status: ours.status, headers: ours.headers }).toEqual(theirs)
      }),
      { numRuns: 1_000 },
    )
    expect(both).toBeGreaterThan(50)
    expect(neither).toBeGreaterThan(50)
  })
})
