import { readFileSync } from 'node:fs'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, untilListed } from '../fixtures/node-pair.js'
import { understood } from '../fixtures/spellings.js'

const PATH = '/home/jörg/models/x.gguf'
const HOME_BEFORE = process.env['HOME']

let asker: NodeInProcess
let provider: NodeInProcess
let server: ModelServerFixture
/** `raw`: bytes in place of an answer, written by hand. */
let answer: { status?: number; headers?: OutgoingHttpHeaders; pieces: (string | Buffer)[]; raw?: boolean }
const seen: IncomingMessage[] = []

beforeAll(async () => {
  process.env['HOME'] = '/home/jörg'
  asker = await startNodeInProcess()
  provider = await startNodeInProcess({ flags: { 'bootstrap.sources': [`${asker.gateway}/v1/dnt/bootstraps`] } })
  server = await startModelServer({
    models: [PATH],
    async answer(request, response) {
      seen.push(request)
      await readBody(request)
      if (answer.raw === true) {
        for (const piece of answer.pieces) await new Promise((resolve) => request.socket.write(piece, resolve))
        request.socket.end()
        return
      }
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
      for (const piece of answer.pieces) await new Promise((resolve) => response.write(piece, resolve))
      response.end()
    },
  })
  await provider.control.call('shares.add', { port: server.port, models: 'all', visibility: 'everyone' })
  await untilListed(asker.gateway, 'x.gguf')
})

afterEach(() => void seen.splice(0))

afterAll(async () => {
  await provider.stop()
  await asker.stop()
  await server.close()
  process.env['HOME'] = HOME_BEFORE
})

/** All that came back, headers included, as a careful reader understands it. */
async function heard(headers: Record<string, string> = {}): Promise<{ status: number; text: string; body: string }> {
  const response = await fetch(`${asker.gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'x.gguf', messages: [] }),
  })
  const body = Buffer.from(await response.arrayBuffer())
  const head = [...response.headers].map((pair) => pair.join(': ')).join('\n')
  return {
    status: response.status,
    text: understood(Buffer.concat([Buffer.from(head, 'latin1'), body])).join('\n'),
    body: body.toString(),
  }
}

const PRIVATE = /home\/j|users\/j|jörg/i

const json = (path: string): string => `{"id":"c","model":"${path}","choices":[]}`

test.each<[string, string | Buffer, OutgoingHttpHeaders?, number?]>([
  ['as it is', json(PATH)],
  ['escaped to ASCII', json('/home/j\\u00f6rg/models/x.gguf')],
  ['with escaped slashes', json('\\/home\\/j\\u00F6rg\\/models\\/x.gguf')],
  ['decomposed', json(PATH.normalize('NFD'))],
  ['in gzip nobody asked for', gzipSync(json(PATH)), { 'content-encoding': 'gzip' }],
  ['in br nobody asked for', brotliCompressSync(json(PATH)), { 'content-encoding': 'br' }],
  ['in zstd nobody asked for', zstdCompressSync(json(PATH)), { 'content-encoding': 'zstd' }],
  ['in an error that names the folder', 'cannot open /home/jörg/models', { 'content-type': 'text/plain' }, 500],
  ['in an error that names the home', '{"error":"no space in \\"/home/jörg\\""}', {}, 400],
  ['in a raw path of Windows', 'C:\\Users\\Jörg\\models\\x.gguf', { 'content-type': 'text/plain' }, 500],
])('a peer never reads a private path that a server answers %s', async (_, piece, headers, status) => {
  answer = { pieces: [piece], headers: headers ?? {}, status: status ?? 200 }
  const got = await heard()
  expect(got.text).not.toMatch(PRIVATE)
  expect(got.status).toBe(status ?? 200)
  if (status === undefined) expect(JSON.parse(got.body)).toEqual({ id: 'c', model: 'x.gguf', choices: [] })
})

test.each([
  ['07-path-escaped-ascii.answer', '"model":"x.gguf"'],
  ['07-path-gzip-unasked.answer', '"model":"x.gguf"'],
  ['07-path-header.answer', 'openai-model: x.gguf'],
])('a peer never reads a private path in %s, whole or byte by byte', async (name, part) => {
  const bytes = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'cases', name))
  for (const pieces of [[bytes], [...bytes].map((byte) => Buffer.of(byte))]) {
    answer = { pieces, raw: true }
    const got = await heard()
    expect(got.text).not.toMatch(PRIVATE)
    expect([got.status, got.text.includes(part)]).toEqual([200, true])
  }
})

test('a peer never reads a private path in a header', async () => {
  const bytes = Buffer.from(PATH).toString('latin1')
  const names = ['openai-model', 'etag', 'content-language', 'x-model', 'server', 'vary', 'x-request-id']
  answer = {
    pieces: ['{}'],
    headers: {
      ...Object.fromEntries(names.map((name) => [name, bytes])),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(PATH)}`,
    },
  }
  const got = await heard()
  expect(got.text).not.toMatch(PRIVATE)
  expect(got.text).toContain('openai-model: x.gguf')
})

test('a peer reads events as they come, without private paths', async () => {
  const event = `data: ${json('/home/j\\u00f6rg/models/x.gguf')}\n\n`
  answer = {
    pieces: [event.slice(0, 30), event.slice(30, 41), event.slice(41), event, 'data: [DONE]\n\n'],
    headers: { 'content-type': 'text/event-stream' },
  }
  const got = await heard()
  expect(got.body).toBe(`${`data: ${json('x.gguf')}\n\n`.repeat(2)}data: [DONE]\n\n`)
})

test('a coding that can not be read here is an error, not a leak', async () => {
  answer = { pieces: [gzipSync(json(PATH))], headers: { 'content-encoding': 'lzma' } }
  const got = await heard()
  expect([got.status, (JSON.parse(got.body) as { error: { code: string } }).error.code]).toEqual([
    502,
    'upstream_failed',
  ])
  expect(got.text).not.toMatch(PRIVATE)
})

test('a server never sees the request id that a peer chose, and never the same twice', async () => {
  answer = { pieces: ['{}'] }
  for (let count = 0; count < 3; count += 1) await heard({ 'x-request-id': 'same' })
  const ids = seen.map(({ headers }) => headers['x-request-id'])
  expect(ids).not.toContain('same')
  expect(new Set(ids).size).toBe(3)
})

test('this machine’s own programs read what their server wrote', async () => {
  answer = { pieces: [json(PATH)], headers: { 'x-model': 'm' } }
  const own = await chat(provider.gateway, { model: 'x.gguf' })
  expect([own.headers.get('x-model'), await own.text()]).toEqual(['m', json(PATH)])
})
