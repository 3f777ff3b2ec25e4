import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRaw, type RawConnection } from '../fixtures/http-server.js'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { untilListed } from '../fixtures/node-pair.js'
import { until } from '../fixtures/until.js'

let node: NodeInProcess
let server: ModelServerFixture

/** Takes the answer to the request that is under way; it is the test’s to give. */
let take: (response: ServerResponse) => void = () => undefined

beforeAll(async () => {
  server = await startModelServer({
    models: ['m'],
    answer: async (request, response) => {
      await readBody(request)
      take(response)
    },
  })
  node = await startNodeInProcess({ flags: { mode: 'standalone' } })
  await node.control.call('shares.add', {
    ...{ host: '127.0.0.1', port: server.port, models: 'all', aliases: [], visibility: 'everyone' },
  })
  await untilListed(node.gateway, 'm')
})

afterAll(async () => {
  await node.stop()
  await server.close()
})

/** Sends a chat request; resolves with the connection and the stand-in's side of it. */
async function ask(stream: boolean): Promise<{ client: RawConnection; answer: ServerResponse }> {
  const arrived = new Promise<ServerResponse>((resolve) => (take = resolve))
  const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'x' }] })
  const head = ['POST /v1/chat/completions HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']
  const client = openRaw(
    Number(new URL(node.gateway).port),
    [...head, `Content-Length: ${body.length}`, '', body].join('\r\n'),
  )
  return { client, answer: await arrived }
}

const halfClose = ({ socket }: RawConnection): Promise<void> => new Promise((resolve) => socket.end(resolve))
const seen = (client: RawConnection, part: string): Promise<true> =>
  until(() => client.seen().includes(part), { what: `the client sees ${part}` })

const END = 'data: [DONE]\n\n'
const events = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })

const lines = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })

describe('a client that ends its writing side', () => {
  test('behind its request gets its whole answer', async () => {
    const { client, answer } = await ask(false)
    await halfClose(client)
    // The node has noticed: it asks whether the client is still there.
    await seen(client, 'HTTP/1.1 100')
    answer.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"chat.completion","choices":[]}')
    const { text, reset } = await client.ended
    expect(reset).toBe(false)
    expect(text).toMatch(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)+HTTP\/1\.1 200 OK\r\n/)
    expect(text).toContain('{"object":"chat.completion","choices":[]}')
  })

  test('behind its request gets its whole stream', async () => {
    const { client, answer } = await ask(true)
    await halfClose(client)
    events(answer).write(sseChunk('one'))
    await seen(client, 'one')
    answer.write(sseChunk('two'))
    answer.end(END)
    const { text, reset } = await client.ended
    expect([reset, text.includes('two'), text.endsWith('0\r\n\r\n')]).toEqual([false, true, true])
  })

  test('in the middle of a stream gets the rest of it', async () => {
    const { client, answer } = await ask(true)
    events(answer).write(sseChunk('one'))
    await seen(client, 'one')
    await halfClose(client)
    await seen(client, '\n:\n\n')
    answer.write(sseChunk('two'))
    answer.end(END)
    const { text, reset } = await client.ended
    expect([reset, text.includes('two'), text.endsWith('0\r\n\r\n')]).toEqual([false, true, true])
  })

  test('in the middle of a stream of lines gets the rest of it, each line as JSON', async () => {
    const { client, answer } = await ask(true)
    lines(answer).write('{"n":1}\n')
    await seen(client, '{"n":1}')
    await halfClose(client)
    await seen(client, '\r\n \r\n')
    answer.end('{"n":2,"finish_reason":"stop"}\n')
    const { text, reset } = await client.ended
    expect(reset).toBe(false)
    // The other lines are the sizes of chunks.
    const read = text.split(/\r?\n/).flatMap((line) => (/^ *\{/.test(line) ? [JSON.parse(line) as unknown] : []))
    expect(read).toEqual([{ n: 1 }, { n: 2, finish_reason: 'stop' }])
  })

  test('in the middle of any other answer gets the rest of it', async () => {
    const { client, answer } = await ask(false)
    answer.writeHead(200, { 'content-type': 'application/json' }).write('{"object":')
    await seen(client, '{"object":')
    await halfClose(client)
    answer.end('"chat.completion"}')
    expect((await client.ended).text).toContain('"chat.completion"}')
  })
})

describe('the work of a client that is gone ends at its server', () => {
  const isCut = (answer: ServerResponse): Promise<true> =>
    until(() => answer.closed && !answer.writableFinished, { what: 'the answer is cut' })

  test.each([false, true])('while it waits for an answer, a stream: %s', async (stream) => {
    const { client, answer } = await ask(stream)
    client.socket.destroy()
    await isCut(answer)
  })

  test('while it has ended its writing side and waits', async () => {
    const { client, answer } = await ask(false)
    await halfClose(client)
    await seen(client, 'HTTP/1.1 100')
    client.socket.destroy()
    await isCut(answer)
  })

  test('while a stream that has begun is silent', async () => {
    const { client, answer } = await ask(true)
    events(answer).write(sseChunk('one'))
    await seen(client, 'one')
    client.socket.destroy()
    await isCut(answer)
  })

  test('while a stream of lines that has begun is silent, within two seconds', async () => {
    const { client, answer } = await ask(true)
    lines(answer).write('{"n":1}\n')
    await seen(client, '{"n":1}')
    const leftAt = performance.now()
    client.socket.destroy()
    await isCut(answer)
    expect(performance.now() - leftAt).toBeLessThan(2_000)
  })

  test('while any other answer that has begun is silent', async () => {
    const { client, answer } = await ask(false)
    answer.writeHead(200, { 'content-type': 'application/json' }).write('{"object":')
    await seen(client, '{"object":')
    client.socket.destroy()
    await isCut(answer)
  })
})
