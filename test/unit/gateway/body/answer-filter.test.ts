import { PassThrough } from 'node:stream'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hidingNames } from '../../../../src-main/gateway/body/answer-filter.js'
import { NameFilter } from '../../../../src-main/gateway/body/name-filter.js'
import type { AnswerHandler, HttpExchange, HttpRequest } from '../../../../src-main/http-client/index.js'
import { Answer, type Hooks } from '../../../fixtures/http-client.js'
import { spelled, understood } from '../../../fixtures/spellings.js'

const NAMES = new NameFilter([{ name: '/home/jörg/x.gguf', shown: 'x.gguf' }])
const PATH = '/home/j\\u00f6rg/x.gguf'

/** A server whose answer the test writes, and what a reader behind the filter hears. */
function exchange(hooks: Hooks = {}): {
  server: AnswerHandler
  answer: Answer
  request: HttpRequest
  calls: string[]
} {
  const calls: string[] = []
  let seen: { request: HttpRequest; server: AnswerHandler } | undefined
  const answer = new Answer(hooks)
  const client = hidingNames({ send: (request, server) => void (seen = { request, server }) }, NAMES)
  client.send(
    { method: 'POST', path: '/', headers: { host: 'a', 'accept-encoding': 'br' }, body: null, idleTimeoutMs: 0 },
    answer,
  )
  if (seen === undefined) throw new Error('nothing was sent')
  const { request, server } = seen
  const real: HttpExchange = {
    abort(error) {
      calls.push('abort')
      server.onError(error)
    },
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
  }
  server.onStart(real)
  return { server, answer, request, calls }
}

test('without names a client is used as it is', () => {
  const client = { send: () => undefined }
  expect(hidingNames(client, new NameFilter([]))).toBe(client)
})

test('an answer is asked for without compression', () => {
  expect(exchange().request.headers).toEqual({ host: 'a', 'accept-encoding': 'identity' })
})

test('every header of an answer loses private names, and it keeps a length', async () => {
  const { server, answer } = exchange()
  server.onHead(200, {
    'openai-model': '/home/jörg/x.gguf',
    etag: `"${Buffer.from('/home/jörg/x.gguf').toString('latin1')}"`,
    'set-cookie': ['a=/home/j%C3%B6rg/x.gguf'],
    'content-digest': 'sha-256=:AA==:',
    'content-length': '34',
  })
  expect(answer.events).toEqual(['start'])
  server.onData(Buffer.from(`{"model":"`))
  server.onData(Buffer.from(`${PATH}"}`))
  server.onEnd()
  await answer.ended
  expect(answer.headers).toEqual({
    'openai-model': 'x.gguf',
    etag: '"x.gguf"',
    'set-cookie': ['a=x.gguf'],
    'content-length': '18',
  })
  expect([answer.events, answer.text]).toEqual([['start', 'head', 'data', 'end'], '{"model":"x.gguf"}'])
})

test('an answer without a body keeps the length it tells', () => {
  const { server, answer } = exchange()
  server.onHead(200, { 'content-length': '34' })
  server.onEnd()
  expect([answer.events, answer.headers]).toEqual([['start', 'head', 'end'], { 'content-length': '34' }])
})

test('an answer that breaks off before its body came leaves its reader without a head', () => {
  const { server, answer } = exchange()
  server.onHead(200, { 'content-length': '34' })
  server.onData(Buffer.from('{"model'))
  server.onError(new Error('lost'))
  expect([answer.events, answer.error?.message]).toEqual([['start', 'error'], 'lost'])
})

test('an event passes as soon as it came, though its stream tells a length', () => {
  const { server, answer } = exchange()
  server.onHead(200, { 'content-type': 'text/event-stream', 'content-length': '300' })
  server.onData(Buffer.from(`data: {"model":"${PATH}"}\n\n`))
  expect([answer.headers, answer.text]).toEqual([
    { 'content-type': 'text/event-stream' },
    'data: {"model":"x.gguf"}\n\n',
  ])
  server.onData(Buffer.from(': /home/j'))
  server.onEnd()
  expect(answer.text).toBe('data: {"model":"x.gguf"}\n\n: /home/j')
})

describe('an answer that comes compressed all the same', () => {
  const text = `{"model":"${PATH}","text":"${'long '.repeat(20_000)}"}`
  const plain = text.replace(PATH, 'x.gguf')

  test.each([
    ['gzip', gzipSync(text)],
    ['X-GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
  ])('is decoded: %s', async (coding, bytes) => {
    const { server, answer } = exchange()
    server.onHead(200, { 'content-encoding': coding, 'content-length': String(bytes.length) })
    for (let at = 0; at < bytes.length; at += 7) server.onData(bytes.subarray(at, at + 7))
    server.onEnd()
    await answer.ended
    expect([answer.headers, answer.text]).toEqual([{}, plain])
  })

  test.each(['lzma', 'gzip, br', 'constructor'])('fails where the coding is not known: %s', (coding) => {
    const { server, answer } = exchange()
    expect(() => server.onHead(200, { 'content-encoding': coding })).toThrow('a coding that was not asked for')
    expect(answer.events).toEqual(['start'])
  })

  test.each([
    ['before its end', gzipSync(text).subarray(0, 30), true],
    ['while it comes', Buffer.from('no gzip'), false],
  ])('fails where it is broken: %s', async (_, bytes, ends) => {
    const { server, answer } = exchange()
    server.onHead(200, { 'content-encoding': 'gzip' })
    server.onData(bytes)
    if (ends) server.onEnd()
    await answer.ended
    expect(answer.error?.message).toBe('its answer is not in the coding it names')
    expect(answer.finals).toBe(1)
  })

  test('has no body where none was asked for', () => {
    const { server, answer } = exchange()
    server.onHead(200, { 'content-encoding': 'gzip' })
    server.onEnd()
    expect(answer.events).toEqual(['start', 'head', 'end'])
  })

  test('is held back by a reader that pauses, and a large one never waits here in full', async () => {
    const huge = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const { server, answer, calls } = exchange({ onData: () => answer.exchange?.pause() })
    server.onHead(200, { 'content-encoding': 'gzip' })
    server.onData(huge)
    server.onEnd()
    await expect.poll(() => answer.bytes).toBeGreaterThan(0)
    // Let it go on wherever it would.
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    expect(answer.bytes).toBeLessThan(1024 * 1024)
    expect(calls).toContain('pause')
    answer.exchange?.abort(new Error('enough'))
    expect([answer.error?.message, answer.finals]).toEqual(['enough', 1])
  })

  test('goes on when its reader does', async () => {
    const { server, answer } = exchange({
      onData() {
        answer.exchange?.pause()
        setImmediate(() => answer.exchange?.resume())
      },
    })
    server.onHead(200, { 'content-encoding': 'gzip' })
    server.onData(gzipSync(text))
    server.onEnd()
    await answer.ended
    expect(answer.text).toBe(plain)
  })

  test('ends where its reader can not take it', async () => {
    const { server, answer, calls } = exchange({
      onData() {
        throw new Error('no room')
      },
    })
    server.onHead(200, { 'content-encoding': 'gzip' })
    server.onData(gzipSync(text))
    await answer.ended
    expect([calls.at(-1), answer.error?.message, answer.finals]).toEqual(['abort', 'no room', 1])
  })
})

test('a WebSocket’s head loses private names as well', () => {
  const { server, answer } = exchange()
  const socket = new PassThrough()
  server.onUpgrade({ 'sec-websocket-protocol': '/home/jörg/x.gguf' }, socket)
  expect([answer.headers, answer.socket]).toEqual([{ 'sec-websocket-protocol': 'x.gguf' }, socket])
})

describe('an answer in any spelling, coding, framing and pieces', () => {
  const CODINGS: Readonly<Record<string, (text: string) => Buffer>> = {
    identity: (text) => Buffer.from(text),
    gzip: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
  }
  const TYPES = ['application/json', 'text/event-stream', 'application/x-ndjson', 'text/plain'] as const
  const framing = fc.record({
    coding: fc.constantFrom(...Object.keys(CODINGS)),
    type: fc.constantFrom(...TYPES),
    hasLength: fc.boolean(),
    sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
  })
  type Framing = typeof framing extends fc.Arbitrary<infer F> ? F : never

  async function answered(bytes: Buffer, { coding, type, hasLength, sizes }: Framing): Promise<Answer> {
    const { server, answer } = exchange()
    server.onHead(200, {
      'content-type': type,
      ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
      ...(hasLength ? { 'content-length': String(bytes.length) } : {}),
    })
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1
      server.onData(bytes.subarray(at, at + size))
      at += size
    }
    server.onEnd()
    return await answer.ended
  }

  test('shows no private name, and all that stands around it', async () => {
    await fc.assert(
      fc.asyncProperty(spelled('/home/jörg/x.gguf'), framing, async (name, how) => {
        const text = `data: {"id":"c","model":"${name}","text":"Grüße"}\n\n`
        const answer = await answered(CODINGS[how.coding]?.(text) ?? Buffer.from(text), how)
        const shown = Buffer.from(answer.text, 'latin1')
        expect(understood(shown).filter((reading) => /jörg|home/.test(reading))).toEqual([])
        expect(shown.toString()).toBe(`data: {"id":"c","model":"x.gguf","text":"Grüße"}\n\n`)
        if (answer.headers['content-length'] !== undefined) {
          expect(answer.headers['content-length']).toBe(String(shown.length))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('shows none either where it is not in the coding it names', async () => {
    await fc.assert(
      fc.asyncProperty(framing, fc.constantFrom(...Object.values(CODINGS), deflateRawSync), async (how, other) => {
        const answer = await answered(other(`{"model":"${PATH}"}`), how)
        expect(understood(Buffer.from(answer.text, 'latin1')).filter((reading) => /jörg|home/.test(reading))).toEqual(
          [],
        )
        expect(answer.finals).toBe(1)
      }),
      { numRuns: 100 },
    )
  })
})
