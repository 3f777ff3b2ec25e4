import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { untilListed } from '../fixtures/node-pair.js'

/** The same requests to a server and, through two nodes, to a model that it has. Both ways must give the same. */

type Say = (response: ServerResponse, body: Buffer) => void | Promise<void>

interface Exchange {
  path: string
  body: string | Buffer
  headers?: Record<string, string>
  say: Say
}

const JSON_TYPE = { 'content-type': 'application/json' }
const EVENTS = { 'content-type': 'text/event-stream' }
const LINES = { 'content-type': 'application/x-ndjson' }
const MODEL = 'org/model'
const OLLAMA_MODEL = 'llama3.2:latest'

const text = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body))

/** One answer, its length known. */
const whole =
  (body: unknown, status = 200, headers: Record<string, string> = JSON_TYPE): Say =>
  (response) => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(text(body))
    response.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes)
  }

/** An answer in pieces, each of which has left before the next. */
const pieces =
  (all: readonly (string | Buffer)[], headers: Record<string, string> = EVENTS, status = 200): Say =>
  async (response) => {
    response.writeHead(status, headers)
    for (const piece of all) await new Promise((resolve) => response.write(piece, resolve))
    response.end()
  }

/** An answer written by hand; its end is that of the connection. */
const bytes =
  (raw: string): Say =>
  ({ socket }) =>
    void socket?.end(raw)

const echo: Say = (response, body) => void response.writeHead(200, JSON_TYPE).end(body)

const event = (value: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${text(value)}\n\n`
const delta = (content: string, reason: string | null = null) => ({
  ...{ id: 'c1', object: 'chat.completion.chunk', created: 1, model: MODEL },
  choices: [{ index: 0, delta: { content }, finish_reason: reason }],
})
const DONE = event('[DONE]')
const CHAT_EVENTS = [event(delta('Grüße ')), event(delta('🌍')), event(delta('', 'stop')), DONE]
const COMPLETION = {
  ...{ id: 'c1', object: 'chat.completion', created: 1, model: MODEL },
  choices: [{ index: 0, message: { role: 'assistant', content: 'Grüße 🌍' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
}
const openAiError = (message: string) => ({
  error: { message, type: 'invalid_request_error', param: null, code: null },
})

const MESSAGES = [{ role: 'user', content: 'x' }]
const CHAT = '/v1/chat/completions'
const chat = (say: Say, more: object = {}): Exchange => ({
  path: CHAT,
  body: text({ model: MODEL, messages: MESSAGES, ...more }),
  say,
})
const stream = (say: Say, more: object = {}): Exchange => chat(say, { stream: true, ...more })
const post = (path: string, more: object, say: Say): Exchange => ({ path, body: text({ model: MODEL, ...more }), say })
const ollama = (path: string, more: object, say: Say): Exchange => ({
  path,
  body: text({ model: OLLAMA_MODEL, ...more }),
  say,
})

const RESPONSE = { id: 'resp_1', object: 'response', status: 'completed', model: MODEL, output: [] }
const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: MODEL, content: [], stop_reason: 'end_turn' }
const MESSAGE_EVENTS = [
  event({ type: 'message_start', message: MESSAGE }, 'message_start'),
  event({ type: 'ping' }, 'ping'),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } }, 'content_block_delta'),
  event({ type: 'message_stop' }, 'message_stop'),
]
const LINE = { model: OLLAMA_MODEL, created_at: '2026-01-01T00:00:00Z' }
const CHAT_LINES = [
  `${text({ ...LINE, message: { role: 'assistant', content: 'Grüße' }, done: false })}\n`,
  `${text({ ...LINE, message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' })}\n`,
]

const BOUNDARY = 'x-boundary-x'
const form = (fields: readonly (readonly [string, string])[]): Pick<Exchange, 'body' | 'headers'> => ({
  headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
  body: [
    ...fields.map(
      ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    ),
    `--${BOUNDARY}--\r\n`,
  ].join(''),
})
const SOUND = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) & 0xff))

const EXCHANGES: Record<string, Exchange> = {
  // Answers as a whole.
  'a chat': chat(whole(COMPLETION)),
  'a chat in chunks': chat(pieces([text(COMPLETION).slice(0, 50), text(COMPLETION).slice(50)], JSON_TYPE)),
  'a chat whose answer is spelt oddly': chat(whole('{ "b":1e400,"seed":9007199254740993 ,"b":-0,"\\u0061":"\\/" }\n')),
  'a chat in compressed form': chat((response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(gzipSync(text(COMPLETION)))
  }),
  'a chat of an HTTP/1.0 server': chat(
    bytes(`HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n${text(COMPLETION)}`),
  ),
  'a chat that is very long': chat(whole({ ...COMPLETION, choices: 'ü'.repeat(300_000) })),
  'an answer without a body': chat(whole('')),
  'an answer that has no body': chat((response) => void response.writeHead(204).end()),
  'an answer without a type': chat(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')),
  'an answer with a type of its own': chat(whole('{}', 200, { 'content-type': 'application/json; charset=UTF-8' })),

  // What the server is asked.
  'a body with numbers that no reader keeps': {
    ...chat(echo),
    body: `{"seed":18446744073709551615,"model":"${MODEL}","t":1.0}`,
  },
  'a body with a model spelt oddly': {
    ...chat(echo),
    body: ' {"messages":[ ],\n"m\\u006fdel" : "org\\/m\\u006fdel"}\r\n',
  },
  'a body with members twice': { ...chat(echo), body: `{"a":1,"a":2,"model":"${MODEL}"}` },
  'a body with tools and images': chat(echo, {
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }],
  }),
  'a body behind a byte order mark': { ...chat(echo), body: `\uFEFF${text({ model: MODEL, messages: [] })}` },
  'a compressed body': {
    ...chat(echo),
    body: gzipSync(text({ model: MODEL, messages: [] })),
    headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
  },
  'a long body': chat(echo, { messages: [{ role: 'user', content: 'ü'.repeat(200_000) }] }),
  'a body of another type': { ...chat(echo), headers: { 'content-type': 'text/plain' } },

  // Streams of events.
  'a stream': stream(pieces(CHAT_EVENTS)),
  'a stream in one piece': stream(pieces([CHAT_EVENTS.join('')])),
  'a stream cut at every byte': stream(pieces([...Buffer.from(CHAT_EVENTS.join(''))].map((byte) => Buffer.of(byte)))),
  'a stream with the lines of Windows': stream(pieces(CHAT_EVENTS.map((one) => one.replaceAll('\n', '\r\n')))),
  'a stream with comments': stream(
    pieces([': processing\n\n', ...CHAT_EVENTS.slice(0, 2), ':\n\n', ...CHAT_EVENTS.slice(2)]),
  ),
  'a stream with names, ids and times': stream(
    pieces([`id: 7\nretry: 10\nevent: x\n${CHAT_EVENTS[0]}`, ...CHAT_EVENTS.slice(1)]),
  ),
  'a stream with data in several lines': stream(pieces(['data: {"choices":\ndata: []}\n\n', DONE])),
  'a stream with a very long event': stream(pieces([event(delta('ü'.repeat(200_000))), DONE])),
  'a stream with a count of tokens': stream(
    pieces([...CHAT_EVENTS.slice(0, -1), event({ choices: [], usage: COMPLETION.usage }), DONE]),
    {
      stream_options: { include_usage: true },
    },
  ),
  'a stream without its last line': stream(pieces(CHAT_EVENTS.slice(0, -1))),
  'a stream without its last line feed': stream(pieces([...CHAT_EVENTS.slice(0, -1), 'data: [DONE]'])),
  'a stream with an error in it': stream(
    pieces([event(delta('a')), event({ error: { message: 'engine died', code: 500 } }), DONE]),
  ),
  'a stream with an error as its end': stream(pieces([event(delta('a')), event({ error: 'engine died' }, 'error')])),
  'a stream that nobody asked for': chat(pieces(CHAT_EVENTS)),
  'a stream that was asked for and is none': stream(whole(COMPLETION)),
  'a stream with a character set': stream(pieces(CHAT_EVENTS, { 'content-type': 'Text/Event-Stream; charset=utf-8' })),
  'a stream of an HTTP/1.0 server': stream(
    bytes(`HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${CHAT_EVENTS.join('')}`),
  ),

  // Other paths.
  'a completion': post('/v1/completions', { prompt: 'x' }, whole({ object: 'text_completion', choices: [] })),
  'a completion as a stream': post(
    '/v1/completions',
    { prompt: 'x', stream: true },
    pieces([event({ choices: [{ text: 'a', finish_reason: 'stop' }] }), DONE]),
  ),
  'a response': post('/v1/responses', { input: 'x' }, whole(RESPONSE)),
  'a response as a stream': post(
    '/v1/responses',
    { input: 'x', stream: true },
    pieces(['response.created', 'response.completed'].map((type) => event({ type, response: RESPONSE }, type))),
  ),
  'a message': post('/v1/messages', { max_tokens: 9, messages: MESSAGES }, whole(MESSAGE)),
  'a message as a stream': post(
    '/v1/messages',
    { max_tokens: 9, messages: MESSAGES, stream: true },
    pieces(MESSAGE_EVENTS),
  ),
  'a message that is refused': post(
    '/v1/messages',
    { messages: MESSAGES },
    whole({ type: 'error', error: { type: 'invalid_request_error', message: 'max_tokens: Field required' } }, 400),
  ),
  'the tokens of a message': post('/v1/messages/count_tokens', { messages: MESSAGES }, whole({ input_tokens: 4 })),
  'the tokens of a chat': post('/v1/chat/completions/input_tokens', { messages: MESSAGES }, whole({ input_tokens: 4 })),
  'the tokens of a response': post(
    '/v1/responses/input_tokens',
    { input: 'x' },
    whole({ object: 'response.input_tokens', input_tokens: 4 }),
  ),
  embeddings: post('/v1/embeddings', { input: ['x'] }, whole({ object: 'list', data: [{ embedding: [0.1, -1e-9] }] })),
  'documents in their order': post(
    '/v1/rerank',
    { query: 'q', documents: ['a', 'b'] },
    whole({ results: [{ index: 1, relevance_score: 0.5 }] }),
  ),
  'documents in their order, by another name': post(
    '/v1/reranking',
    { query: 'q', documents: ['a'] },
    whole({ results: [] }),
  ),
  speech: post('/v1/audio/speech', { input: 'x', voice: 'v' }, whole(SOUND, 200, { 'content-type': 'audio/mpeg' })),
  'speech as it is made': post(
    '/v1/audio/speech',
    { input: 'x' },
    pieces([SOUND.subarray(0, 9_000), SOUND.subarray(9_000)], { 'content-type': 'audio/wav' }),
  ),
  'a text that was heard': {
    path: '/v1/audio/transcriptions',
    ...form([
      ['model', MODEL],
      ['file', 'sound'],
    ]),
    say: whole('1\n00:00 --> 00:01\nhi\n', 200, { 'content-type': 'text/plain; charset=utf-8' }),
  },
  'a form as the server sees it': {
    path: '/v1/images/edits',
    ...form([
      ['prompt', 'ü'],
      ['model', MODEL],
      ['image', 'x'],
    ]),
    say: echo,
  },

  // Ollama's interface.
  'Ollama’s chat': ollama('/api/chat', { messages: MESSAGES }, pieces(CHAT_LINES, LINES)),
  'Ollama’s chat cut at odd places': ollama(
    '/api/chat',
    { messages: MESSAGES },
    pieces(CHAT_LINES.join('').split(/(?<=[{ü])/), LINES),
  ),
  'Ollama’s chat as a whole': ollama('/api/chat', { messages: MESSAGES, stream: false }, whole(CHAT_LINES[1])),
  'Ollama’s error in a stream': ollama(
    '/api/generate',
    { prompt: 'x' },
    pieces(['{"response":"a","done":false}\n', '{"error":"it died"}\n'], LINES),
  ),
  'Ollama’s refusal': ollama('/api/generate', { prompt: 'x' }, whole({ error: 'does not support generate' }, 400)),
  'Ollama’s embeddings': ollama('/api/embed', { input: 'x' }, whole({ embeddings: [[0.1]] })),

  // Refusals that are the client's to read.
  'a request that is wrong': chat(whole(openAiError('temperature must be below 2'), 400)),
  'a request that can not be processed': chat(whole({ detail: [{ loc: ['body'], msg: 'field required' }] }, 422)),
  'a request that is too large': chat(whole(openAiError('too many tokens'), 413)),
  'a thing that is not there': chat(whole(openAiError('no such adapter'), 404)),
  'a thing that is not implemented': chat(whole(openAiError('not supported'), 501)),
  'a failure of the server': chat(whole(openAiError('out of memory'), 500)),
  'a failure in plain text': chat(whole('Internal Server Error', 500, { 'content-type': 'text/plain' })),
  'a failure as a page': chat(whole('<h1>Internal Server Error</h1>', 500, { 'content-type': 'text/html' })),
  'an error for a stream': stream(whole(openAiError('bad stream_options'), 400)),

  // Answers that are none.
  'a stream that stops inside an event': stream(
    bytes(`HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${CHAT_EVENTS[0]}data: {"cho`),
  ),
  'a stream that says nothing of its end': stream(pieces(CHAT_EVENTS.slice(0, 1))),
  'a stream of lines that says nothing of its end': ollama(
    '/api/chat',
    { messages: MESSAGES },
    pieces(CHAT_LINES.slice(0, 1), LINES),
  ),
  'a server that wants a key': chat(whole(openAiError('Invalid API Key'), 401)),
  'a server that forbids': chat(whole(openAiError('not you'), 403)),
  'a server that sends elsewhere': chat((response) => void response.writeHead(307, { location: '/elsewhere' }).end()),
  'a server that is busy': chat(whole(openAiError('slow down'), 429, { ...JSON_TYPE, 'retry-after': '7' })),
  'a server that loads its model': chat(whole(openAiError('Loading model'), 503)),
}

let server: ModelServerFixture
let ollamaServer: ModelServerFixture
let asker: NodeInProcess
let provider: NodeInProcess
let saying: Say = echo
let seen: { url: string; type: string | undefined; body: Buffer } | undefined

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  if (request.method !== 'POST' || request.url === '/api/show') return void response.writeHead(404).end()
  seen = { url: request.url ?? '', type: request.headers['content-type'], body }
  await saying(response, body)
}

beforeAll(async () => {
  server = await startModelServer({ models: [MODEL], answer })
  ollamaServer = await startModelServer({
    models: [{ id: OLLAMA_MODEL, object: 'model', created: 1, owned_by: 'library' }],
    tags: [{ name: OLLAMA_MODEL }],
    answer,
  })
  asker = await startNodeInProcess()
  provider = await startNodeInProcess({ flags: { 'bootstrap.sources': [`${asker.gateway}/v1/dnt/bootstraps`] } })
  for (const { port } of [server, ollamaServer]) {
    await provider.control.call('shares.add', { port, models: 'all', visibility: 'everyone' })
  }
  await untilListed(asker.gateway, MODEL)
  await untilListed(asker.gateway, OLLAMA_MODEL)
})

afterAll(async () => {
  await provider.stop()
  await asker.stop()
  await server.close()
  await ollamaServer.close()
})

/** All that a client gets, and what the server saw of the request. */
interface Outcome {
  status: number
  type: string | null
  retryAfter: string | null
  location: string | null
  end: 'whole' | 'broken off'
  body: string
  seen: { url: string; type: string | undefined; body: string } | undefined
}

async function outcome(origin: string, { path, body, headers = JSON_TYPE }: Exchange): Promise<Outcome> {
  seen = undefined
  const sent = new Uint8Array(Buffer.from(body))
  const response = await fetch(`${origin}${path}`, { method: 'POST', headers, body: sent, redirect: 'manual' })
  const read: Uint8Array[] = []
  let end: Outcome['end'] = 'whole'
  try {
    for await (const piece of response.body ?? []) read.push(piece as Uint8Array)
  } catch {
    end = 'broken off'
  }
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    location: response.headers.get('location'),
    end,
    body: Buffer.concat(read).toString('latin1'),
    seen: heard(),
  }
}

/** A form is written anew on its way, between other boundaries. */
function heard(): Outcome['seen'] {
  if (seen === undefined) return undefined
  const { url, type, body } = seen
  const boundary = /boundary=(\S+)/.exec(type ?? '')?.[1] ?? BOUNDARY
  return { url, type: type?.replace(boundary, BOUNDARY), body: body.toString('latin1').replaceAll(boundary, BOUNDARY) }
}

const containing = (part: string): string => expect.stringContaining(part) as string
const OUR_TYPE = 'application/json; charset=utf-8'
const failed = (status: number, code: string): Partial<Outcome> => ({
  ...{ status, type: OUR_TYPE, location: null },
  body: containing(`"code":"${code}"`),
})
const plain = text({ model: MODEL, messages: [] })
const readAs = (body: string, changed: Partial<Outcome> = {}) => ({
  ...{ body, ...changed },
  seen: { url: CHAT, type: 'application/json', body },
})

/** All that may be otherwise through two nodes, and why. Nothing else may, and nothing of it may be as it is directly. */
const ALLOWED: Record<string, { why: string; through: Partial<Outcome> }> = {
  'a body behind a byte order mark': { why: 'parsers may refuse the mark (RFC 8259, 8.1)', through: readAs(plain) },
  'a compressed body': { why: 'few servers decode one', through: readAs(plain) },
  'a body of another type': {
    why: 'a page may send text/plain without asking, JSON it may not: the type is what was read',
    through: { seen: { url: CHAT, type: 'application/json', body: text({ model: MODEL, messages: MESSAGES }) } },
  },
  'a form as the server sees it': {
    why: 'the stand-in says what it saw, and a form has other boundaries on its way',
    through: { body: containing('org/model') },
  },
  'a stream that stops inside an event': {
    why: 'what is incomplete says so',
    through: { body: containing('event: error\ndata: {"error":{"message":"The answer broke off') },
  },
  'a stream that says nothing of its end': {
    why: 'what is incomplete says so',
    through: { body: containing('event: error\ndata: {"error":{"message":"The answer broke off') },
  },
  'a stream of lines that says nothing of its end': {
    why: 'what is incomplete says so',
    through: { body: containing('"error":"The answer broke off') },
  },
  'a server that wants a key': {
    why: 'it is its owner who lacks a key, not the client',
    through: failed(502, 'upstream_failed'),
  },
  'a server that forbids': {
    why: 'it is its owner who is forbidden something, not the client',
    through: failed(502, 'upstream_failed'),
  },
  'a server that sends elsewhere': {
    why: 'a client may not be sent to any address by a stranger',
    through: failed(502, 'upstream_failed'),
  },
  'a server that is busy': { why: 'others are asked first', through: failed(429, 'provider_busy') },
  'a server that loads its model': {
    why: 'others are asked first, and when to come back is said',
    through: { ...failed(503, 'no_provider'), retryAfter: '5' },
  },
}

describe('the same request, to a server and through two nodes, ends the same', () => {
  test.each(Object.entries(EXCHANGES))('%s', async (name, exchange) => {
    saying = exchange.say
    const direct = await outcome(exchange.path.startsWith('/api/') ? ollamaServer.origin : server.origin, exchange)
    const through = await outcome(asker.gateway, exchange)
    const allowed = ALLOWED[name]
    expect(through).toEqual({ ...direct, ...allowed?.through })
    if (allowed !== undefined) expect(through, allowed.why).not.toEqual(direct)
  })

  test('the list of what may differ names nothing that is not asked', () => {
    expect(Object.keys(ALLOWED).filter((name) => EXCHANGES[name] === undefined)).toEqual([])
    expect(Object.keys(EXCHANGES).length).toBeGreaterThanOrEqual(60)
  })
})

test.each([
  ['a server that wants a key', 'its model server wants a key'],
  ['a server that forbids', 'its model server wants a key'],
  ['a server that sends elsewhere', 'its model server redirects to another address'],
])('the reason of %s reaches who asked through a peer, in words', async (name, reason) => {
  const exchange = EXCHANGES[name]!
  saying = exchange.say
  const text = (await outcome(asker.gateway, exchange)).body
  expect(text).toContain(`${provider.peerId}: ${reason}`)
  expect(text).toContain('Whose server it is has to')
  expect(text).not.toContain('does not answer')
})
