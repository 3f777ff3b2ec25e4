import { once } from 'node:events'
import { request as nodeRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { UnsendableRequestError, type HttpRequest } from '../../../src-main/http-client/index.js'
import { framingOf, requestHead } from '../../../src-main/http-client/request-writer.js'
import { clientOf, fakeClient, GET, send } from '../../fixtures/http-client.js'
import { startTestServer, type TestServer } from '../../fixtures/http-server.js'

let server: TestServer | undefined
afterEach(() => server?.close())

const headOf = (request: Partial<HttpRequest>): string => requestHead({ ...GET, ...request })

describe('the head of a request', () => {
  test.each<[string, Partial<HttpRequest>, string]>([
    ['without a body', {}, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
    [
      'of a method that is meant for bodies',
      { method: 'POST' },
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n',
    ],
    ['with an empty body', { body: Buffer.alloc(0) }, 'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    [
      'with a body it holds, whatever length was told',
      { method: 'POST', headers: { 'content-length': '7' }, body: Buffer.from('hi') },
      'POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n',
    ],
    [
      'without the length of a body that is not there',
      { headers: { 'content-length': '7' } },
      'GET / HTTP/1.1\r\n\r\n',
    ],
    ['with a stream', { body: Readable.from([]), headers: {} }, 'GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n'],
    [
      'with a stream of which the length is known',
      { body: Readable.from([]), headers: { 'content-length': '007' } },
      'GET / HTTP/1.1\r\ncontent-length: 7\r\n\r\n',
    ],
    ['with several values of a name', { headers: { a: ['b', 'c'], d: [] } }, 'GET / HTTP/1.1\r\na: b\r\na: c\r\n\r\n'],
    ['with an empty value', { headers: { a: '' } }, 'GET / HTTP/1.1\r\na: \r\n\r\n'],
    [
      'with bytes beyond ASCII',
      { path: '/\xe9', headers: { a: 'b\t\xff' } },
      'GET /\xe9 HTTP/1.1\r\na: b\t\xff\r\n\r\n',
    ],
  ])('%s is what it should be', (_name, request, head) => {
    expect(headOf(request)).toBe(head)
  })

  test.each<[string, Partial<HttpRequest>]>([
    ['an empty path', { path: '' }],
    ['a blank in its path', { path: '/a b' }],
    ['CR LF in its path', { path: '/ HTTP/1.1\r\nevil: yes\r\n\r\nGET /' }],
    ['LF in its path', { path: '/\nevil: yes' }],
    ['NUL in its path', { path: '/\0' }],
    ['DEL in its path', { path: '/\x7f' }],
    ['what is no byte in its path', { path: '/\u560a\u560d' }],
    ['an empty method', { method: '' }],
    ['CR LF in its method', { method: 'GET / HTTP/1.1\r\n\r\nGET' }],
    ['a blank in its method', { method: 'GET ' }],
    ['CONNECT as its method', { method: 'CONNECT' }],
    ['CR LF in a value', { headers: { a: 'b\r\nevil: yes' } }],
    ['CR in a value', { headers: { a: 'b\rc' } }],
    ['LF in a value', { headers: { a: 'b\nc' } }],
    ['NUL in a value', { headers: { a: '\0' } }],
    ['what is no byte in a value', { headers: { a: '\u010d\u010a' } }],
    ['CR LF in one of several values', { headers: { a: ['b', 'c\r\nd: e'] } }],
    ['CR LF in a name', { headers: { 'a: b\r\nc': 'd' } }],
    ['an empty name', { headers: { '': 'b' } }],
    ['a blank in a name', { headers: { 'a ': 'b' } }],
    ['a colon in a name', { headers: { 'a:': 'b' } }],
    ['a connection of its own', { headers: { connection: 'close' } }],
    ['a coding of its own', { headers: { 'transfer-encoding': 'chunked' } }],
    ['a coding of its own in other letters', { headers: { 'Transfer-Encoding': 'chunked' } }],
    ['a length in other letters', { headers: { 'Content-Length': '5' } }],
    ['an upgrade of its own', { headers: { upgrade: 'h2c' } }],
    ['a length that is no number', { headers: { 'content-length': '5, 5' }, body: Readable.from([]) }],
    ['a negative length', { headers: { 'content-length': '-5' }, body: Readable.from([]) }],
    ['two lengths', { headers: { 'content-length': ['5', '5'] }, body: Readable.from([]) }],
    ['a length beyond all bounds', { headers: { 'content-length': '9'.repeat(16) }, body: Readable.from([]) }],
  ])('with %s is refused, and nothing is sent', (_name, request) => {
    expect(() => headOf(request)).toThrow(UnsendableRequestError)
    const { client, sockets } = fakeClient()
    const answer = send(client, request)
    expect([answer.error, answer.events]).toEqual([expect.any(UnsendableRequestError), ['error']])
    expect(sockets).toEqual([])
  })

  test('does not quote a long name in its refusal', () => {
    expect(() => headOf({ headers: { ['é'.repeat(1_000)]: 'b' } })).toThrow(/^its header ".{40}" can not be sent$/)
  })
})

test('a length is told for what has one', () => {
  expect(framingOf({ ...GET, body: Buffer.from('hi') })).toEqual({ kind: 'length', bytes: 2 })
  expect(framingOf({ ...GET, method: 'PATCH' })).toEqual({ kind: 'length', bytes: 0 })
  expect(framingOf({ ...GET, method: 'DELETE' })).toEqual({ kind: 'none' })
})

describe('between this client and Node’s own server', () => {
  const byte = (from: number, to: number) => fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code))
  const value = fc
    .string({ unit: fc.oneof(byte(0x20, 0x7e), byte(0x80, 0xff), fc.constant('\t')), maxLength: 20 })
    .map((text) => text.replace(/^[\t ]+|[\t ]+$/g, ''))
  const headers = fc.dictionary(
    fc.stringMatching(/^x-[!#$%&'*+\-.^_`|~0-9a-z]{1,10}$/),
    fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })),
    { maxKeys: 6, noNullPrototype: true },
  )
  const body = fc.oneof(
    fc.constant(null),
    fc.uint8Array({ maxLength: 40_000 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(Buffer.alloc(1_500_000, 'big')),
  )

  test('a request arrives as it was meant, and so does the answer', { timeout: 60_000 }, async () => {
    let seen: { message: IncomingMessage; body: Buffer } | undefined
    server = await startTestServer((message, response) => {
      const pieces: Buffer[] = []
      message.on('data', (piece: Buffer) => pieces.push(piece))
      message.on('end', () => {
        seen = { message, body: Buffer.concat(pieces) }
        response.writeHead(200, echoed(message))
        response.end(message.method === 'HEAD' ? undefined : seen.body)
      })
    })
    const { client, sockets } = clientOf(server.port)
    const request = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'),
      path: fc.string({ unit: byte(0x21, 0x7e), maxLength: 30 }).map((text) => `/${text}`),
      headers,
      body,
      way: fc.constantFrom('whole', 'streamed', 'streamed with its length'),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ way, ...made }) => {
        const streamed = way === 'whole' || made.body === null ? made.body : inPieces(made.body)
        const length: Record<string, string> =
          way === 'streamed with its length' ? { 'content-length': String(made.body?.length ?? 0) } : {}
        const sent = { ...made, headers: { host: 'x', ...made.headers, ...length }, body: streamed }
        const answer = await send(client, sent).ended
        expect([answer.error, answer.status]).toEqual([undefined, 200])
        expect([seen!.message.method, seen!.message.url]).toEqual([made.method, made.path])
        expect(seen!.body.equals(made.body ?? Buffer.alloc(0))).toBe(true)
        const got = Object.fromEntries(Object.entries(seen!.message.headers).filter(([name]) => name.startsWith('x-')))
        const joined = Object.entries(made.headers).map(([name, text]) => [name, [text].flat().join(', ')])
        expect(got).toEqual(Object.fromEntries(joined))
        expect(answer.headers).toMatchObject(got)
        const expected = made.method === 'HEAD' ? Buffer.alloc(0) : (made.body ?? Buffer.alloc(0))
        expect(Buffer.concat(answer.pieces).equals(expected)).toBe(true)
      }),
      { numRuns: 300 },
    )
    expect(sockets.length).toBe(1)
    client.destroy(new Error('over'))
  })
})

describe('an answer of Node’s own server', () => {
  interface Plan {
    status: number
    method: string
    headers: Record<string, string | string[]>
    pieces: string[]
    way: string
  }

  interface Read {
    status: number | undefined
    headers: IncomingHttpHeaders
    body: string
  }

  async function byNode(port: number, method: string): Promise<Read> {
    const request = nodeRequest({ port, host: '127.0.0.1', method, agent: false }).end()
    const [message] = (await once(request, 'response')) as [IncomingMessage]
    const body = Buffer.concat((await message.toArray()) as Buffer[]).toString('latin1')
    return { status: message.statusCode, headers: message.headers, body }
  }

  /** What differs from one moment and one connection to the other. */
  const lasting = ({ headers: { date: _d, connection: _c, 'keep-alive': _k, ...headers }, ...rest }: Read): Read => ({
    ...rest,
    headers,
  })

  test('is read as Node’s own client reads it', { timeout: 60_000 }, async () => {
    let plan: Plan
    server = await startTestServer((_request, response) => {
      const { status, headers, pieces, way } = plan
      if (way === 'behind hints') response.writeContinue()
      if (way === 'behind hints') response.writeEarlyHints({ link: '</x>; rel=preload' })
      if (way === 'then closes') response.shouldKeepAlive = false
      if (way === 'until it closes') response.useChunkedEncodingByDefault = response.shouldKeepAlive = false
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      if (way === 'with its length') response.setHeader('content-length', Buffer.byteLength(pieces.join('')))
      response.writeHead(status)
      for (const piece of pieces) response.write(piece)
      if (way === 'with trailers') response.addTrailers({ 'x-t': 'u' })
      response.end()
    })
    const { port } = server
    const { client } = clientOf(port)
    const name = fc.constantFrom('x-a', 'X-B', 'Set-Cookie', 'Vary', 'Link', 'Content-Type', 'WWW-Authenticate')
    const value = fc.stringMatching(/^[!-~]{0,8}$/)
    const made = fc.record({
      status: fc.constantFrom(200, 201, 203, 204, 205, 206, 304, 400, 404, 500, 503),
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'),
      headers: fc.dictionary(name, fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
      pieces: fc.array(fc.constantFrom('a', 'b'.repeat(70_000), '\r\n0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'), {
        maxLength: 4,
      }),
      way: fc.constantFrom(
        'in chunks',
        'with its length',
        'with trailers',
        'behind hints',
        'then closes',
        'until it closes',
      ),
    })
    await fc.assert(
      fc.asyncProperty(made, async (chosen) => {
        plan = chosen
        const theirs = await byNode(port, chosen.method)
        const answer = await send(client, { method: chosen.method }).ended
        expect(answer.error).toBeUndefined()
        expect(lasting({ status: answer.status, headers: answer.headers, body: answer.text })).toEqual(lasting(theirs))
      }),
      { numRuns: 400 },
    )
    client.destroy(new Error('over'))
  })
})

const inPieces = (body: Buffer): Readable =>
  Readable.from([body.subarray(0, 10), body.subarray(10, 5_000), body.subarray(5_000)])

function echoed({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.flatMap((text, at) => (at % 2 === 0 && text.startsWith('x-') ? [text, rawHeaders[at + 1]!] : []))
}
