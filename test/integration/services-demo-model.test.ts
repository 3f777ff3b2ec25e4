import { request as httpRequest } from 'node:http'
import OpenAI, { type APIError } from 'openai'
import { afterEach, expect, test } from 'vitest'
import {
  createDemoModelServer,
  type DemoModelOptions,
  type DemoRequest,
  type DemoRequestEvent,
} from '../../src-main/demo-model/index.js'
import { createEventQueue } from '../fixtures/model-servers/event-queue.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Told {
  what: DemoRequestEvent
  request: DemoRequest
}

async function startDemo(options: DemoModelOptions = { tokensPerSecond: 0 }) {
  const told: Told[] = []
  const queue = createEventQueue<Told>()
  const observe = (what: DemoRequestEvent, request: DemoRequest): void => {
    const event = { what, request: { ...request } }
    told.push(event)
    queue.push(event)
  }
  const log = createRecordingLog()
  const server = createDemoModelServer({ log, observe }, options)
  await server.start(new AbortController().signal)
  cleanups.push(() => server.stop())
  const origin = `http://127.0.0.1:${server.port}`
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'none', maxRetries: 0 })
  const next = async (what: Told['what'], id?: number): Promise<Told> => {
    for (;;) {
      const event = await queue.next()
      if (event.what === what && (id === undefined || event.request.id === id)) return event
    }
  }
  return { server, origin, client, told, next, log }
}

const QUESTION = { model: 'ocf-demo', messages: [{ role: 'user' as const, content: 'What does the gateway do?' }] }

test('a chat answer begins by saying what it is, and tells its usage', async () => {
  const { client } = await startDemo()

  const answer = await client.chat.completions.create(QUESTION)

  expect(answer.choices[0]?.message.content).toMatch(/^I am the demo model that is built into Open Compute/)
  expect(answer.choices[0]?.finish_reason).toBe('stop')
  expect(answer.usage?.prompt_tokens).toBe(6)
  expect(answer.usage?.completion_tokens).toBeGreaterThan(30)
})

test('the same seed gives the same answer, streamed or whole, and another seed another', async () => {
  const { client } = await startDemo()
  const seeded = (seed: number) => ({ ...QUESTION, seed })
  const whole = async (seed: number) => (await client.chat.completions.create(seeded(seed))).choices[0]?.message.content
  const stream = await client.chat.completions.create({ ...seeded(7), stream: true })
  let streamed = ''
  for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? ''

  expect(await whole(7)).toBe(streamed)
  expect(await whole(8)).not.toBe(streamed)
})

test('a stream ends with its reason and, when asked, with its usage', async () => {
  const { client } = await startDemo()
  const stream = await client.chat.completions.create({
    ...QUESTION,
    max_completion_tokens: 5,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)

  expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter(Boolean)).toEqual(['length'])
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 5 } })
})

test('a stop text ends the answer and is not part of it', async () => {
  const { client } = await startDemo()

  const answer = await client.chat.completions.create({ ...QUESTION, stop: ['built into'] })

  expect(answer.choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { content: 'I am the demo model that is ' },
  })
})

test('with ignore_eos it writes until the limit', async () => {
  const { client } = await startDemo()
  const endless = { ...QUESTION, max_tokens: 3000, ignore_eos: true }

  const answer = await client.chat.completions.create(endless)

  expect(answer.usage?.completion_tokens).toBe(3000)
})

test('completions work, streamed and whole', async () => {
  const { client } = await startDemo()
  const ask = { model: 'ocf-demo', prompt: 'A node', max_tokens: 20, seed: 3 }
  const whole = await client.completions.create(ask)
  let streamed = ''
  for await (const chunk of await client.completions.create({ ...ask, stream: true })) {
    streamed += chunk.choices[0]?.text ?? ''
  }

  expect(whole.choices[0]?.text).toBe(streamed)
  expect(whole.usage?.completion_tokens).toBe(20)
})

test('requests at fault are told so in the shape OpenAI clients parse', async () => {
  const { origin, client } = await startDemo()
  const errorOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => error as APIError)
  const post = async (path: string, body: string) => {
    const response = await fetch(origin + path, { method: 'POST', body })
    return { status: response.status, ...((await response.json()) as object) }
  }

  expect(await errorOf(client.chat.completions.create({ ...QUESTION, model: 'gpt-9' }))).toMatchObject({
    status: 404,
    code: 'model_not_found',
  })
  expect(await errorOf(client.chat.completions.create({ ...QUESTION, n: 2 }))).toMatchObject({
    status: 400,
    param: 'n',
  })
  expect(await post('/v1/chat/completions', '{')).toMatchObject({ status: 400, error: { code: 'invalid_json' } })
  expect(await post('/v1/chat/completions', '{}')).toMatchObject({ status: 400, error: { code: 'missing_model' } })
  expect(await post('/v1/embeddings', '{}')).toMatchObject({ status: 404, error: { code: 'not_found' } })
  expect(await post('/api/delete', '{}')).toMatchObject({ status: 404, error: { code: 'not_found' } })
  expect((await fetch(`${origin}/v1/chat/completions`)).status).toBe(405)
})

test('a client that leaves in the middle frees the slot for the next, and no token follows', async () => {
  const { client, told, next } = await startDemo({ slots: 1, tokensPerSecond: 200 })
  const leaving = new AbortController()
  const first = client.chat.completions
    .create({ ...QUESTION, ignore_eos: true, max_tokens: 100_000, stream: true } as never, { signal: leaving.signal })
    .catch(() => 'gone')
  await next('token')
  const second = client.chat.completions.create({ ...QUESTION, max_completion_tokens: 1 })
  const waiting = await next('request')
  leaving.abort()
  await first
  const answer = await second

  expect(answer.choices[0]?.finish_reason).toBe('length')
  const order = told.map(({ what, request }) => `${what} ${request.id}`)
  const abortedAt = order.indexOf('aborted 1')
  expect(abortedAt).toBeGreaterThan(-1)
  expect(order.slice(abortedAt)).not.toContain('token 1')
  expect(order.indexOf(`started ${waiting.request.id}`)).toBeGreaterThan(order.lastIndexOf('token 1'))
})

test('a client that leaves the queue is never started', async () => {
  const { client, told, next } = await startDemo({ slots: 1, tokensPerSecond: 200 })
  const [running, waiting] = [new AbortController(), new AbortController()]
  const open = (signal: AbortSignal) =>
    client.chat.completions
      .create({ ...QUESTION, ignore_eos: true, max_tokens: 100_000, stream: true } as never, { signal })
      .catch(() => 'gone')
  const first = open(running.signal)
  await next('started')
  const second = open(waiting.signal)
  const { request } = await next('request')
  waiting.abort()
  await next('aborted', request.id)
  running.abort()
  await Promise.all([first, second])

  expect(told.map(({ what, request: { id } }) => `${what} ${id}`)).not.toContain(`started ${request.id}`)
})

test('a full queue answers 503', async () => {
  const { origin, next } = await startDemo({ slots: 1, tokensPerSecond: 1 })
  const leaving = new AbortController()
  const body = JSON.stringify({ ...QUESTION, max_tokens: 1000, ignore_eos: true })
  const ask = () => fetch(`${origin}/v1/chat/completions`, { method: 'POST', body, signal: leaving.signal })
  const held = Array.from({ length: 65 }, () => ask().catch(() => 'gone'))
  for (let i = 0; i < 65; i += 1) await next('request')

  const refused = await ask()

  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  leaving.abort()
  await Promise.all(held)
})

test('a client that reads nothing makes the server wait', async () => {
  const { server, told, next } = await startDemo({ slots: 1, tokensPerSecond: 0 })
  const request = httpRequest({ port: server.port, path: '/v1/chat/completions', method: 'POST' })
  const answered = new Promise<void>((resolve) =>
    request.on('response', (response) => {
      response.pause()
      resolve()
    }),
  )
  request.on('error', () => undefined)
  request.end(JSON.stringify({ ...QUESTION, stream: true, ignore_eos: true, max_tokens: 1_000_000 }))
  await answered
  let seen = -1
  // The socket's buffers fill; then nothing more is written.
  while (seen !== told.length) {
    seen = told.length
    await new Promise((resolve) => setImmediate(resolve))
    await fetch(`http://127.0.0.1:${server.port}/health`)
  }
  expect(told.length).toBeLessThan(900_000)
  request.destroy()
  await next('aborted')
})

test('stopping ends running streams without pretending that they are complete', async () => {
  const { server, client, next } = await startDemo({ tokensPerSecond: 200 })
  const stream = await client.chat.completions.create({ ...QUESTION, stream: true, max_completion_tokens: 100_000 })
  await next('token')
  const reading = (async () => {
    for await (const chunk of stream) if (chunk.choices[0]?.finish_reason) return 'complete'
    return 'ended'
  })().catch(() => 'broken off')

  await server.stop()

  expect(await reading).toBe('broken off')
})

test('a client that leaves while it sends its question is no failure', async () => {
  const { server, told, client, log } = await startDemo()
  const request = httpRequest({ port: server.port, path: '/v1/chat/completions', method: 'POST' })
  request.on('error', () => undefined)
  request.setHeader('content-length', 1000)
  await new Promise<void>((resolve) => {
    request.write('{"model":', () => resolve())
  })
  request.destroy()
  await client.chat.completions.create({ ...QUESTION, max_completion_tokens: 1 })
  await server.stop()

  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
  expect(told.map(({ what }) => what)).toEqual(['request', 'started', 'token', 'finished'])
})

test('a body that is too large is refused', async () => {
  const { origin } = await startDemo()
  const body = new Uint8Array(17 * 1024 * 1024)
  const response = await fetch(`${origin}/v1/chat/completions`, { method: 'POST', body })

  expect(response.status).toBe(413)
})
