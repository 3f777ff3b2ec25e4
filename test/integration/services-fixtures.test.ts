import { createHash } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import {
  startBusyServer,
  startDyingServer,
  startEchoServer,
  startHugeBodyServer,
  startNdjsonServer,
  startPathIdServer,
  startSlowPrefillServer,
  startSteppingServer,
  type ModelServerFixture,
} from '../fixtures/model-servers/index.js'

/** The faulty model servers behave as other tests rely on. */

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function started<T extends ModelServerFixture>(starting: Promise<T>): Promise<T> {
  const server = await starting
  cleanups.push(() => server.close())
  return server
}

const ask = (server: ModelServerFixture, init: RequestInit = {}, path = '/v1/chat/completions') =>
  fetch(server.origin + path, { method: 'POST', body: '{"model":"test-model"}', ...init })

test('the slow one sends nothing until it is released', async () => {
  const server = await started(startSlowPrefillServer())
  const answer = ask(server)
  await server.nextRequest()
  server.release()

  expect(await (await answer).text()).toMatch(/at last.*\n\ndata: \[DONE\]/)
})

test('the slow one tells when its client has left', async () => {
  const server = await started(startSlowPrefillServer())
  const leaving = new AbortController()
  const answer = ask(server, { signal: leaving.signal }).catch(() => 'gone')
  await server.nextRequest()
  leaving.abort()

  expect(await answer).toBe('gone')
  expect(await server.nextAbort()).toMatchObject({ url: '/v1/chat/completions' })
})

test('the stepping one sends what it is told, when it is told', async () => {
  const server = await started(startSteppingServer())
  const answer = await ask(server)
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  server.send('one')
  expect((await reader.read()).value).toContain('one')
  server.send('two')
  expect((await reader.read()).value).toContain('two')
  server.end()
  expect((await reader.read()).value).toBe('data: [DONE]\n\n')
})

test('the dying one breaks the connection after its chunks', async () => {
  const server = await started(startDyingServer({ chunks: 3 }))

  const reader = (await ask(server)).body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const broken = (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return 'complete'
      text += value
    }
  })().catch(() => 'broken off')

  expect(await broken).toBe('broken off')
  expect(text.match(/chunk \d/g)).toEqual(['chunk 0', 'chunk 1', 'chunk 2'])
})

test('the busy one refuses', async () => {
  const server = await started(startBusyServer({ status: 429, retryAfterS: 7 }))
  const answer = await ask(server)

  expect(answer.status).toBe(429)
  expect(answer.headers.get('retry-after')).toBe('7')
})

test('the huge one sends what its hash says', async () => {
  const server = await started(startHugeBodyServer({ bytes: 3_000_001 }))
  const bytes = Buffer.from(await (await ask(server)).arrayBuffer())

  expect(bytes.length).toBe(3_000_001)
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(server.sha256)
})

test('the huge one stops when its client has left', async () => {
  const server = await started(startHugeBodyServer({ bytes: 200_000_000 }))
  const leaving = new AbortController()
  const answer = await ask(server, { signal: leaving.signal })
  leaving.abort()
  await server.nextAbort()

  expect(answer.status).toBe(200)
  expect(server.sentBytes()).toBeLessThan(100_000_000)
})

test('the one with lines of JSON sends as many as asked for', async () => {
  const server = await started(startNdjsonServer({ lines: 5 }))
  const lines = (await (await ask(server)).text()).trim().split('\n')

  expect(lines).toHaveLength(5)
  expect(JSON.parse(lines[4]!)).toMatchObject({ done: true })
})

test('the echo sends bytes and the raw path back', async () => {
  const server = await started(startEchoServer())
  const body = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251)
  const answer = await ask(server, { body, headers: { 'content-type': 'audio/wav' } }, '/v1/echo/a%2Fb?x=%20')

  expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), Buffer.from(body))).toBe(0)
  expect(answer.headers.get('content-type')).toBe('audio/wav')
  expect(answer.headers.get('x-seen-url')).toBe('/v1/echo/a%2Fb?x=%20')
})

test('the one with paths for ids tells which id it was asked for', async () => {
  const server = await started(startPathIdServer())

  expect(await (await ask(server)).json()).toEqual({ asked_for: 'test-model' })
})
