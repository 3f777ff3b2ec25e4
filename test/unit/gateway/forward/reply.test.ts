import { afterEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { Reply } from '../../../../src-main/gateway/forward/reply.js'
import type { Listener } from '../../../../src-main/gateway/listener/listeners.js'
import type { ModelApi } from '../../../../src-main/gateway/listener/model-api.js'
import { startTestServer, type TestServer } from '../../../fixtures/http-server.js'
import { until } from '../../../fixtures/until.js'

const SSE = { 'content-type': 'text/event-stream' }
const BROKEN = new AppError('upstream_failed', 'it broke')

let server: TestServer
afterEach(() => server.close())

/** A server whose every request is answered by hand through a {@link Reply}. */
async function serving(listener: Listener, answer: (reply: Reply) => unknown, api?: ModelApi): Promise<TestServer> {
  server = await startTestServer((_request, response) => {
    void answer(new Reply(response, { listener, requestId: 'r1', ...(api === undefined ? {} : { api }) }))
  })
  return server
}

const get = (version = '1.1'): string => `GET / HTTP/${version}\r\nHost: x\r\nConnection: close\r\n\r\n`
const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4)

describe('an answer', () => {
  test('passes as it is and is counted', async () => {
    const counted = Promise.withResolvers<number>()
    const { origin } = await serving('local', (reply) => {
      reply.head(201, { 'content-type': 'text/plain', 'x-a': 'b' })
      reply.write(Buffer.from('one '))
      reply.write(Buffer.from('two'))
      reply.end()
      reply.end()
      counted.resolve(reply.bytes)
    })
    const response = await fetch(origin)
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, 'b', 'one two'])
    expect(await counted.promise).toBe(7)
  })

  test.each([204, 304])('of status %i has no body', async (status) => {
    const { origin } = await serving('local', (reply) => {
      reply.head(status, { etag: '"1"' })
      reply.end()
    })
    const response = await fetch(origin)
    expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([status, '', '"1"'])
  })

  test('to HEAD keeps its length and ends', async () => {
    const { origin } = await serving('local', (reply) => {
      reply.head(200, { 'content-length': '12' })
      reply.end()
    })
    const response = await fetch(origin, { method: 'HEAD' })
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['12', ''])
  })

  test('with a header that Node refuses leaves the client untouched', async () => {
    const { origin } = await serving('local', (reply) => {
      expect(() => reply.head(200, { 'x-a': 'b\nc' })).toThrow()
      expect(reply.started).toBe(false)
      reply.head(502, {})
      reply.end()
    })
    expect((await fetch(origin)).status).toBe(502)
  })
})

describe('an answer that breaks off', () => {
  test.each(['local', 'peer'] as const)('before it began is the error itself, on the %s listener', async (listener) => {
    const told: boolean[] = []
    const { origin } = await serving(listener, (reply) => {
      reply.onGone(() => told.push(reply.gone))
      reply.breakOff(new AppError('no_provider', 'paused', { retryAfterS: 60 }))
      reply.breakOff(BROKEN)
      reply.end()
    })
    const response = await fetch(origin)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60'])
    expect(await response.json()).toMatchObject({ error: { code: 'no_provider', message: 'paused' } })
    expect(told).toEqual([true])
  })

  test('is an error event behind whole events, on the local listener', async () => {
    const { origin } = await serving('local', (reply) => {
      reply.head(200, SSE)
      reply.write(Buffer.from('data: 1\n\ndata: ha'))
      reply.breakOff(BROKEN)
      reply.end()
    })
    const text = await (await fetch(origin)).text()
    expect(text).toMatch(/^data: 1\n\nevent: error\ndata: \{"error":\{"message":"it broke".*"request_id":"r1"\}\}\n\n$/)
  })

  test('is an error line behind whole lines of Ollama’s', async () => {
    const answer = (reply: Reply): void => {
      reply.head(200, { 'content-type': 'application/x-ndjson' })
      reply.write(Buffer.from('{"response":"a","done":false}\n{"resp'))
      reply.breakOff(BROKEN)
    }
    const { origin } = await serving('local', answer, 'ollama')
    const [first, second = '', ...rest] = (await (await fetch(origin)).text()).split('\n')
    expect(first).toBe('{"response":"a","done":false}')
    expect(JSON.parse(second)).toMatchObject({ error: 'it broke', code: 'upstream_failed' })
    expect(rest).toEqual([''])
  })

  test('is an error of Anthropic’s shape for its clients, before and behind events', async () => {
    const early = await serving('local', (reply) => reply.breakOff(BROKEN), 'anthropic')
    const refused = await fetch(early.origin)
    expect(refused.headers.get('request-id')).toBe('r1')
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'api_error', message: 'it broke' } })
    await early.close()
    const answer = (reply: Reply): void => {
      reply.head(200, SSE)
      reply.write(Buffer.from('event: message_start\ndata: {}\n\n'))
      reply.breakOff(BROKEN)
    }
    const response = await fetch((await serving('local', answer, 'anthropic')).origin)
    expect(response.headers.get('request-id')).toBe('r1')
    expect(await response.text()).toMatch(/\n\nevent: error\ndata: \{"type":"error","error":\{.*"type":"api_error"/)
  })

  test('has room for its error event even where the provider stated a length', async () => {
    const { origin } = await serving('local', (reply) => {
      reply.head(200, { ...SSE, 'content-length': '30' })
      reply.write(Buffer.from('data: 1\n\n'))
      reply.breakOff(BROKEN)
    })
    const response = await fetch(origin)
    expect(response.headers.get('content-length')).toBeNull()
    expect(await response.text()).toContain('event: error')
  })

  test('reaches an HTTP/1.0 client as an error event too', async () => {
    const { raw } = await serving('local', (reply) => {
      reply.head(200, SSE)
      reply.write(Buffer.from('data: 1\n\n'))
      reply.breakOff(BROKEN)
    })
    const { text, reset } = await raw(get('1.0')).ended
    expect(bodyOf(text)).toMatch(/^data: 1\n\nevent: error\n/)
    expect(reset).toBe(false)
  })

  test('is reset behind a half event that had to be passed on', async () => {
    const { origin } = await serving('local', (reply) => {
      reply.head(200, SSE)
      reply.write(Buffer.alloc(1024 * 1024 + 1, 'x'))
      reply.breakOff(BROKEN)
    })
    const response = await fetch(origin)
    await expect(response.text()).rejects.toThrow()
  })

  test.each([
    ['as JSON', 'local', { 'content-type': 'application/json' }],
    ['as JSON of known length', 'local', { 'content-type': 'application/json', 'content-length': '100' }],
    ['as a compressed event stream', 'local', { ...SSE, 'content-encoding': 'gzip' }],
    ['as an event stream to a peer', 'peer', SSE],
  ] as const)('%s never looks complete', async (_name, listener, headers) => {
    const { origin } = await serving(listener, (reply) => {
      reply.head(200, { ...headers })
      reply.write(Buffer.from('{"a": '))
      reply.breakOff(BROKEN)
    })
    await expect(fetch(origin).then((response) => response.text())).rejects.toThrow()
  })

  test('never looks complete to an HTTP/1.0 client, whose bodies end with the connection', async () => {
    const { raw } = await serving('local', (reply) => {
      reply.head(200, { 'content-type': 'application/json' })
      reply.write(Buffer.from('{"a": '))
      reply.breakOff(BROKEN)
    })
    expect((await raw(get('1.0')).ended).reset).toBe(true)
  })
})

describe('a silent prefill', () => {
  /** Waits in comments until the client has seen one. */
  async function afterComment(answer: (reply: Reply) => void): Promise<string> {
    const seen = Promise.withResolvers<undefined>()
    const { raw } = await serving('local', async (reply) => {
      reply.startComments({ 'x-request-id': 'r1' }, 5)
      await seen.promise
      answer(reply)
    })
    const connection = raw(get('1.0'))
    await until(() => connection.seen().includes(': waiting\n\n'), { what: 'a comment came' })
    seen.resolve(undefined)
    return (await connection.ended).text
  }

  test('is bridged by comments, and the stream follows them', async () => {
    const text = await afterComment((reply) => {
      expect(reply.started).toBe(true)
      expect(reply.head(200, SSE)).toBe(true)
      reply.write(Buffer.from('data: 1\n\n'))
      reply.end()
    })
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-type: text\/event-stream/i)
    expect(bodyOf(text)).toMatch(/^(: waiting\n\n)+data: 1\n\n$/)
  })

  test('a silent prefill behind the head of its stream is bridged by comments until the stream begins', async () => {
    const seen = Promise.withResolvers<undefined>()
    const { raw } = await serving('local', async (reply) => {
      reply.startComments({ 'x-request-id': 'r1' }, 5)
      expect(reply.head(200, { ...SSE, 'x-computing-node': 'peer' })).toBe(true)
      await seen.promise
      reply.write(Buffer.from('data: {"half":'))
      // Long enough for more comments, which would fall into the event.
      await until(() => performance.now() > comesLate, { what: 'another comment would be due' })
      reply.write(Buffer.from('1}\n\n'))
      reply.end()
    })
    let comesLate = Infinity
    const connection = raw(get('1.0'))
    await until(() => connection.seen().includes(': waiting\n\n'), { what: 'a comment came' })
    comesLate = performance.now() + 50
    seen.resolve(undefined)
    const { text } = await connection.ended
    expect(text).toMatch(/x-computing-node: peer/)
    expect(bodyOf(text)).toMatch(/^(: waiting\n\n)+data: \{"half":1\}\n\n$/)
  })

  test('that ends in failure ends in an error event', async () => {
    const text = await afterComment((reply) => reply.breakOff(BROKEN))
    expect(bodyOf(text)).toMatch(/^(: waiting\n\n)+event: error\ndata: \{"error"/)
  })

  test('that ends in another status or type is told in an error event', async () => {
    for (const [status, type] of [
      [400, 'application/json'],
      [400, 'text/event-stream'],
      [200, 'application/json'],
    ] as const) {
      const text = await afterComment((reply) => {
        expect(reply.head(status, { 'content-type': type })).toBe(false)
        reply.breakOff(BROKEN, { error: { message: 'too long' } })
      })
      expect(bodyOf(text)).toMatch(/event: error\ndata: \{"error":\{"message":"too long"\}\}\n\n$/)
      await server.close()
    }
    await serving('local', () => undefined)
  })

  test('has no comments when the answer comes in time', async () => {
    const { origin } = await serving('local', (reply) => {
      reply.startComments({}, 60_000)
      reply.head(200, { 'content-type': 'application/json' })
      reply.write(Buffer.from('{}'))
      reply.end()
    })
    expect(await (await fetch(origin)).text()).toBe('{}')
  })
})

describe('a client', () => {
  test('that goes away is told to whoever listens, once', async () => {
    let gone = 0
    const left = Promise.withResolvers<Reply>()
    const { raw } = await serving('local', (reply) => {
      reply.onGone(() => left.resolve(reply))
      reply.onGone(() => (gone += 1))
      const unwanted = (): number => (gone += 100)
      reply.onGone(unwanted)
      reply.offGone(unwanted)
      reply.head(200, SSE)
    })
    const { socket } = raw(get())
    socket.once('data', () => socket.resetAndDestroy())
    const reply = await left.promise
    expect(reply.gone).toBe(true)
    expect(gone).toBe(1)
    expect(reply.write(Buffer.from('data: late\n\n'))).toBe(false)
  })

  test('that reads nothing any more is cut off', async () => {
    const cut = Promise.withResolvers<undefined>()
    const { raw } = await serving('local', (reply) => {
      reply.onGone(() => cut.resolve(undefined))
      reply.head(200, { 'content-type': 'application/octet-stream' })
      const block = Buffer.alloc(4 * 1024 * 1024)
      const fill = (): void => {
        if (reply.write(block)) fill()
        else reply.onDrain(fill, 50)
      }
      fill()
    })
    const { socket } = raw(get())
    socket.pause()
    await cut.promise
    socket.destroy()
  })
})
