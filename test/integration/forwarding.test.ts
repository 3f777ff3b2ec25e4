import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { createDemoModelServer } from '../../src-main/demo-model/index.js'
import {
  startBusyServer,
  startDyingServer,
  startEchoServer,
  startNdjsonServer,
  startSlowPrefillServer,
  startSteppingServer,
} from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, startNodePair, untilListed, type NodePair } from '../fixtures/node-pair.js'
import { startNodeProcess } from '../fixtures/node-process.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { until } from '../fixtures/until.js'

const cleanups: (() => Promise<unknown>)[] = []
const later = <T extends { stop(): Promise<unknown> } | { close(): Promise<unknown> }>(thing: T): T => {
  cleanups.push(() => ('stop' in thing ? thing.stop() : thing.close()))
  return thing
}

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function pairFor(server: { port: number }, model = 'test-model', ...flags: string[]): Promise<NodePair> {
  const pair = later(await startNodePair({ serviceFlags: [...llmFlags(server.port), ...flags] }))
  await untilListed(pair.a.gateway, model)
  return pair
}

/** Whether the server at B sees a client's abort at once: in 100 ms, or on a busy machine before ten requests of ours. */
async function isSeenAtOnce({ a, b }: NodePair, abort: () => void, seen: Promise<unknown>): Promise<boolean> {
  const at = performance.now()
  abort()
  const asking = (async () => {
    for (let count = 0; count < 10; count += 1)
      await (await fetch(`${a.gateway}/v1/p2p/${b.peerId}/v1/_service/llm/v1/models`)).arrayBuffer()
    return false
  })()
  const isFirst = await Promise.race([seen.then(() => true), asking])
  await Promise.all([seen, asking])
  return isFirst || performance.now() - at < 100
}

describe('streaming', () => {
  test('the first chunk reaches the client before the server has produced the last', async () => {
    const server = later(await startSteppingServer())
    const { a } = await pairFor(server)
    const arrived = server.nextRequest()
    const responding = chat(a.gateway, { model: 'test-model', stream: true })
    await arrived
    server.send('first')
    const response = await responding
    const reader = response.body!.getReader()
    const first = new TextDecoder().decode((await reader.read()).value)
    expect(first).toContain('first')
    server.send('second')
    server.end()
    let rest = ''
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += new TextDecoder().decode(part.value)
    expect(rest).toContain('second')
    expect(rest).toContain('[DONE]')
  })

  test('a stream that dies midway ends with an error event and no [DONE]', async () => {
    const server = later(await startDyingServer({ chunks: 3 }))
    const { a } = await pairFor(server)
    const text = await (await chat(a.gateway, { model: 'test-model', stream: true })).text()
    expect(text).toContain('chunk 2')
    expect(text).toMatch(/event: error\ndata: \{"error":\{/)
    expect(text).not.toContain('[DONE]')
  })

  test('an answer that is no event stream and dies midway has its connection reset', async () => {
    const server = later(await startDyingServer({ chunks: 3, contentType: 'application/json' }))
    const { a } = await pairFor(server)
    const response = await chat(a.gateway, { model: 'test-model' })
    await expect(response.text()).rejects.toThrow()
  })

  test('NDJSON passes unchanged', async () => {
    const server = later(await startNdjsonServer({ lines: 50 }))
    const { a } = await pairFor(server)
    const body = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'Hello' }] })
    const direct = await (await fetch(`${server.origin}/api/chat`, { method: 'POST', body })).text()
    const response = await fetch(`${a.gateway}/v1/service/llm/api/chat`, { method: 'POST', body })
    expect(response.headers.get('content-type')).toContain('ndjson')
    expect(await response.text()).toBe(direct)
  })
})

describe('a client that goes away is seen by the server at once', () => {
  test('while it waits for a slot', async () => {
    const chats: number[] = []
    const started: number[] = []
    const seen = Promise.withResolvers<undefined>()
    const received = Promise.withResolvers<undefined>()
    const demo = later(
      createDemoModelServer(
        {
          log: createRecordingLog(),
          observe(event, { id }) {
            if (event === 'request' && chats.push(id) === 2) received.resolve(undefined)
            if (event === 'started') started.push(id)
            if (event === 'aborted' && id === chats[1]) seen.resolve(undefined)
          },
        },
        { tokensPerSecond: 5, slots: 1 },
      ),
    )
    await demo.start(new AbortController().signal)
    const pair = await pairFor(demo, 'ocf-demo')
    const { a } = pair
    const holder = new AbortController()
    const first = await chat(a.gateway, { model: 'ocf-demo', stream: true, max_tokens: 500 }, { signal: holder.signal })
    const waiting = new AbortController()
    const second = chat(a.gateway, { model: 'ocf-demo', stream: true }, { signal: waiting.signal })
    second.catch(() => undefined)
    await received.promise
    expect(await isSeenAtOnce(pair, () => waiting.abort(), seen.promise)).toBe(true)
    expect(started).not.toContain(chats[1])
    holder.abort()
    await expect(first.text()).rejects.toThrow()
  })

  test('before headers', async () => {
    const server = later(await startSlowPrefillServer())
    const pair = await pairFor(server)
    const { a } = pair
    const arrived = server.nextRequest()
    const client = new AbortController()
    const pending = chat(a.gateway, { model: 'test-model', stream: true }, { signal: client.signal })
    pending.catch(() => undefined)
    await arrived
    expect(await isSeenAtOnce(pair, () => client.abort(), server.nextAbort())).toBe(true)
  })

  test('in the middle of a stream', async () => {
    const server = later(await startSteppingServer())
    const pair = await pairFor(server)
    const { a } = pair
    const arrived = server.nextRequest()
    const client = new AbortController()
    const responding = chat(a.gateway, { model: 'test-model', stream: true }, { signal: client.signal })
    await arrived
    server.send('first')
    const reader = (await responding).body!.getReader()
    await reader.read()
    expect(await isSeenAtOnce(pair, () => client.abort(), server.nextAbort())).toBe(true)
  })
})

describe('when a provider dies', () => {
  test('A says so in seconds, and B serves again under its own name after a restart', async () => {
    const server = later(await startEchoServer())
    const a = later(await startNodeProcess({ flags: ['--demo-model', 'off'] }))
    const flags = [...flagsToJoin(a), '--demo-model', 'off', ...llmFlags(server.port)]
    const b = await startNodeProcess({ flags })
    await untilListed(a.gateway, 'test-model')
    await b.kill()
    const startedAt = performance.now()
    const response = await chat(a.gateway, { model: 'test-model' })
    expect(performance.now() - startedAt).toBeLessThan(12_000)
    const { error } = (await response.json()) as { error: { code: string } }
    expect([`${response.status} ${error.code}`]).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(503 no_provider|502 upstream_failed)$/)]),
    )
    await until(async () => !(await (await fetch(`${a.gateway}/v1/models`)).text()).includes('test-model'), {
      what: 'the dead provider left the list of models',
      limitMs: 30_000,
    })
    const again = later(await startNodeProcess({ flags, dataDir: b.dataDir }))
    expect(again.peerId).toBe(b.peerId)
    await untilListed(a.gateway, 'test-model')
    const served = await chat(a.gateway, { model: 'test-model' })
    expect(served.status).toBe(200)
    expect(served.headers.get('x-computing-node')).toBe(b.peerId)
  })

  test('a busy provider’s refusal is told as such', async () => {
    const server = later(await startBusyServer({ status: 429, retryAfterS: 7 }))
    const { a, b } = await pairFor(server)
    const response = await chat(a.gateway, { model: 'test-model' })
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('7')
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect(error.code).toBe('provider_busy')
    expect(error.message).toContain(b.peerId)
  })
})

describe('bodies', () => {
  test('200 MB stream from A through B and back: equal by hash, little memory', async () => {
    const server = later(await startEchoServer())
    const flags = ['--service.name', 'files', '--service.port', String(server.port), '--service.identity-group', 'all']
    const { a, b } = later(await startNodePair({ serviceFlags: flags }))
    const path = `/v1/p2p/${b.peerId}/v1/_service/files/echo`
    await until(async () => (await fetch(`${a.gateway}${path}`)).status === 200, { what: 'the service is shared' })
    // Buffers that wait to be collected are there from then on; a body that is kept would still show.
    await roundTrip(`${a.gateway}${path}`, 80 * 1024 * 1024)
    const before = [a.rssMiB(), b.rssMiB()]
    const result = await roundTrip(`${a.gateway}${path}`, 200 * 1024 * 1024, () => {
      const grown = [a.rssMiB() - before[0]!, b.rssMiB() - before[1]!]
      expect(Math.max(...grown)).toBeLessThan(100)
    })
    expect(result.received).toBe(result.sent)
  })

  test('percent-encoding and query arrive as they were sent', async () => {
    const server = later(await startEchoServer())
    const { a, b } = await pairFor(server)
    const raw = '/v1/audio/org%2Fmodel%20x?q=a%26b&q=%2F&empty='
    for (const prefix of [`/v1/p2p/${b.peerId}/v1/_service/llm`, '/v1/service/llm']) {
      const response = await fetch(`${a.gateway}${prefix}${raw}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'test-model' }),
      })
      expect([response.status, server.requests.findLast(({ method }) => method === 'POST')?.url]).toEqual([200, raw])
    }
  })

  test('multipart is routed by its model field and arrives whole', async () => {
    const server = later(await startEchoServer())
    const { a, b } = await pairFor(server)
    const file = randomBytes(10_000)
    const form = new FormData()
    form.append('file', new Blob([file]), 'a.wav')
    form.append('model', 'test-model')
    const response = await fetch(`${a.gateway}/v1/audio/transcriptions`, { method: 'POST', body: form })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-computing-node')).toBe(b.peerId)
    const echoed = Buffer.from(await response.arrayBuffer())
    expect(echoed.includes(file)).toBe(true)
    expect(echoed.includes('name="model"\r\n\r\ntest-model\r\n')).toBe(true)
  })

  test('a secret of the client never reaches the server behind a peer', async () => {
    const server = later(await startEchoServer())
    const { a } = await pairFor(server)
    await chat(
      a.gateway,
      { model: 'test-model' },
      {
        headers: {
          'content-type': 'application/json',
          authorization: 'Bearer sk-mine',
          cookie: 'a=b',
          'x-api-key': 'k',
        },
      },
    )
    const { headers } = server.requests.at(-1)!
    expect(headers.authorization).toBeUndefined()
    expect(headers.cookie).toBeUndefined()
    expect(headers['x-api-key']).toBeUndefined()
  })
})

/** Streams random bytes up and the echo down at the same time; hashes both. */
async function roundTrip(url: string, bytes: number, onProgress: () => void = () => undefined) {
  const up = createHash('sha256')
  const down = createHash('sha256')
  const block = randomBytes(1024 * 1024)
  const source = Readable.from(
    (function* () {
      for (let sent = 0; sent < bytes; sent += block.byteLength) {
        block.writeUInt32LE(sent / block.byteLength)
        const chunk = Buffer.from(block)
        up.update(chunk)
        yield chunk
      }
    })(),
  )
  const request = httpRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
  })
  source.pipe(request)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  let seen = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    down.update(chunk)
    seen += chunk.byteLength
    if (seen % (16 * 1024 * 1024) < chunk.byteLength) onProgress()
  }
  return { sent: up.digest('hex'), received: down.digest('hex') }
}
