import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { hasBody } from '../../../../../src-main/gateway/body/request-body.js'
import { attempt } from '../../../../../src-main/gateway/forward/attempt/attempt.js'
import type { AttemptRequest, AttemptResult } from '../../../../../src-main/gateway/forward/attempt/request.js'
import type { HeaderPolicy } from '../../../../../src-main/gateway/forward/headers.js'
import { createLocalClients, type LocalClients } from '../../../../../src-main/gateway/forward/local-clients.js'
import { Reply } from '../../../../../src-main/gateway/forward/reply.js'
import { discardRest } from '../../../../../src-main/gateway/listener/arrival.js'
import { fakeClient, turn } from '../../../../fixtures/http-client.js'
import { startTestServer, type TestServer } from '../../../../fixtures/http-server.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function upstream(handler: RequestListener): Promise<TestServer> {
  const server = await startTestServer(handler)
  cleanups.push(() => server.close())
  return server
}

/** A server that is handed the bare connection after the head of a request came. */
async function bareUpstream(answer: (socket: Socket, turn: number) => void): Promise<{ port: number }> {
  let turn = 0
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      if (chunk.includes('\r\n\r\n')) answer(socket, (turn += 1))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port }
}

interface Front {
  origin: string
  raw: TestServer['raw']
  /** How the next try ended. */
  result(): Promise<AttemptResult>
  requests: IncomingMessage[]
}

interface FrontOptions extends Partial<AttemptRequest> {
  policy?: HeaderPolicy
  comments?: number
  clients?: LocalClients
  path?: string
}

/** A gateway that knows nothing but one target; what is not relayed is answered 599 with the result. */
async function frontOf(port: number, options: FrontOptions = {}): Promise<Front> {
  const clients = options.clients ?? createLocalClients()
  cleanups.push(() => clients.stop())
  const results: AttemptResult[] = []
  const waiting: ((result: AttemptResult) => void)[] = []
  const requests: IncomingMessage[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(request)
    const reply = new Reply(response, { listener: 'local', requestId: 'r1' })
    if (options.comments !== undefined) reply.startComments({}, options.comments)
    const { 'content-length': length } = request.headers
    const result = await attempt(
      {
        client: clients.to({ host: '127.0.0.1', port }),
        path: options.path ?? '/x',
        headers: { host: '127.0.0.1', ...(length === undefined ? {} : { 'content-length': length }) },
        policy: options.policy ?? 'own',
      },
      {
        method: request.method ?? 'GET',
        body: hasBody(request) ? { kind: 'stream', stream: request } : { kind: 'none' },
        idleTimeoutMs: 0,
        mayRefuse: false,
        addOwnHeaders: (headers) => void Object.assign(headers, { 'x-tried': 'yes' }),
        ...options,
      },
      reply,
    )
    if (!reply.started && !reply.gone) {
      response.writeHead(599)
      response.end(JSON.stringify(result))
    }
    discardRest(request, response)
    const taker = waiting.shift()
    if (taker === undefined) results.push(result)
    else taker(result)
  }

  const server = await startTestServer((request, response) => void answer(request, response))
  cleanups.push(() => server.close())
  return {
    origin: server.origin,
    raw: (bytes) => server.raw(bytes),
    requests,
    result: () => {
      const known = results.shift()
      return known === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(known)
    },
  }
}

describe('a try that is answered', () => {
  test('is relayed with our headers', async () => {
    const { port } = await upstream((_request, response) => response.writeHead(201, { 'x-a': 'b' }).end('hello'))
    const front = await frontOf(port)
    const response = await fetch(front.origin)
    expect([response.status, response.headers.get('x-a'), response.headers.get('x-tried')]).toEqual([201, 'b', 'yes'])
    expect(await response.text()).toBe('hello')
    expect(await front.result()).toMatchObject({ kind: 'relayed', status: 201 })
  })

  test.each([400, 401, 404, 429, 500, 503])('with %i is relayed when nobody else may be asked', async (status) => {
    const { port } = await upstream((_request, response) => response.writeHead(status).end('no'))
    const front = await frontOf(port)
    expect((await fetch(front.origin)).status).toBe(status)
  })

  test.each([204, 304])('with %i has no body, whatever length it claims', async (status) => {
    const { port } = await bareUpstream((socket) => socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: 7\r\n\r\n`))
    const front = await frontOf(port)
    const response = await fetch(front.origin)
    expect([response.status, await response.text()]).toEqual([status, ''])
  })

  test('to HEAD ends without a body', async () => {
    const { port } = await upstream((_request, response) => response.writeHead(200, { 'content-length': 9 }).end())
    const front = await frontOf(port)
    const response = await fetch(front.origin, { method: 'HEAD' })
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '9'])
    expect(await front.result()).toMatchObject({ kind: 'relayed' })
  })

  test('may be preceded by 1xx, and trailers are dropped', async () => {
    const { port } = await bareUpstream((socket) =>
      socket.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n' +
          '2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n',
      ),
    )
    const front = await frontOf(port)
    const { text } = await front.raw('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').ended
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text).toMatch(/2\r\nhi\r\n0\r\n\r\n$/)
    expect(text).not.toMatch(/trailer|x-t:|103|link/i)
  })

  test.each([429, 502, 503, 504])('with %i is a refusal when somebody else may be asked', async (status) => {
    const { port } = await upstream((_request, response) => {
      response.writeHead(status, { 'retry-after': '7' }).end('busy')
    })
    const front = await frontOf(port, { mayRefuse: true })
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toMatchObject({ kind: 'refused', status, retryAfterS: 7 })
  })

  test.each([['-1'], ['1e99'], ['soon'], ['Wed, 21 Oct 2037 07:28:00 GMT']])(
    'may ask to come back %s',
    async (after) => {
      const { port } = await upstream((_request, response) => {
        response.writeHead(429, { 'retry-after': after }).end()
      })
      const front = await frontOf(port, { mayRefuse: true })
      await fetch(front.origin)
      expect(await front.result()).toMatchObject({ kind: 'refused', retryAfterS: undefined })
    },
  )

  test('with an endless refusal is cut and still a refusal', async () => {
    const { port } = await upstream((_request, response) => {
      response.writeHead(503)
      const fill = (): void => {
        if (!response.destroyed && response.write(Buffer.alloc(16_384))) setImmediate(fill)
      }
      response.on('drain', fill)
      fill()
    })
    const front = await frontOf(port, { mayRefuse: true })
    await fetch(front.origin)
    expect(await front.result()).toMatchObject({ kind: 'refused', status: 503 })
  })

  test.each([400, 401, 404, 500])('with %i is never a refusal', async (status) => {
    const { port } = await upstream((_request, response) => response.writeHead(status).end())
    const front = await frontOf(port, { mayRefuse: true })
    expect((await fetch(front.origin)).status).toBe(status)
  })
})

describe('a header that comes twice', () => {
  test('is relayed as one', async () => {
    const { port } = await bareUpstream((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nConnection: x-a\r\nConnection: keep-alive\r\nX-A: 1\r\nX-B: 1\r\nX-B: 2\r\nContent-Length: 2\r\n\r\nok',
      ),
    )
    const front = await frontOf(port)
    const { status, headers } = await fetch(front.origin)
    expect([status, headers.get('x-a'), headers.get('x-b')]).toEqual([200, null, '1, 2'])
  })

  test('hides no page among other content', async () => {
    const { port } = await bareUpstream((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok',
      ),
    )
    const front = await frontOf(port, { policy: 'generic' })
    const { headers } = await fetch(front.origin)
    expect(headers.get('content-type')).toBe('text/plain')
  })

  test('is no answer to a WebSocket handshake, and leaves nobody waiting', async () => {
    const { port } = await bareUpstream((socket) =>
      socket.write('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n'),
    )
    const front = await frontOf(port, { isAccepted: (headers) => headers.upgrade?.toLowerCase() === 'websocket' })
    await fetch(front.origin)
    expect(await front.result()).toMatchObject({ kind: 'failed', stage: 'before-headers' })
  })
})

test('a slow client is waited for once, however many pieces had come when the connection ended', async () => {
  const { client, sockets } = fakeClient()
  let waits = 0
  let pieces = 0
  const slow = {
    gone: false,
    onGone: () => undefined,
    offGone: () => undefined,
    head: () => true,
    write() {
      pieces += 1
      return false
    },
    onDrain: () => (waits += 1),
    end: () => undefined,
  } as unknown as Reply
  const result = attempt(
    { client, path: '/x', headers: { host: 'x' }, policy: 'own' },
    { method: 'GET', body: { kind: 'none' }, idleTimeoutMs: 0, mayRefuse: false, addOwnHeaders: () => undefined },
    slow,
  )
  await turn()
  sockets[0]!.gives(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(10_000)}0\r\n\r\n`)
  sockets[0]!.ends()
  expect(await result).toMatchObject({ kind: 'relayed', status: 200 })
  expect(pieces).toBeGreaterThan(10)
  expect(waits).toBe(1)
})

describe('a try that fails', () => {
  test('to connect has sent nothing', async () => {
    const dead = await startTestServer(() => undefined)
    await dead.close()
    const front = await frontOf(dead.port)
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toEqual({
      kind: 'failed',
      stage: 'connect',
      unsent: true,
      cause: 'unreachable',
      reason: 'connection refused',
      timedOut: false,
    })
  })

  test.each([
    ['is closed', (socket: Socket) => socket.end()],
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
    ['brings something that is not HTTP', (socket: Socket) => socket.end('SSH-2.0-x\r\n')],
    [
      'brings an unasked 101',
      (socket: Socket) => socket.write('HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    [
      'brings two lengths',
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
    ],
  ])('before headers, because its fresh connection %s', async (_name, answer) => {
    const { port } = await bareUpstream(answer)
    const front = await frontOf(port)
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toMatchObject({ kind: 'failed', stage: 'before-headers', timedOut: false })
  })

  test.each([
    ['closed', (socket: Socket) => socket.end()],
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('on a connection that had served before and is %s when it is used again is stale', async (_name, cut) => {
    const { port } = await bareUpstream((socket, turn) => {
      if (turn === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      else cut(socket)
    })
    const front = await frontOf(port)
    expect(await (await fetch(front.origin)).text()).toBe('ok')
    await front.result()
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toMatchObject({ kind: 'failed', stage: 'stale' })
  })

  test('for want of a byte has timed out', async () => {
    const { port } = await upstream(() => undefined)
    const front = await frontOf(port, { idleTimeoutMs: 50 })
    await fetch(front.origin)
    expect(await front.result()).toMatchObject({ kind: 'failed', stage: 'before-headers', timedOut: true })
  })

  test('because this node can not send such a request is nobody else’s fault', async () => {
    const { port } = await upstream((_request, response) => response.end())
    const front = await frontOf(port, { path: '/a b' })
    await fetch(front.origin)
    expect(await front.result()).toMatchObject({ kind: 'failed', stage: 'refused-here' })
  })
})

describe('a try that is cut midway', () => {
  test.each([
    ['a length not reached', 'Content-Length: 100'],
    ['chunks without an end', 'Transfer-Encoding: chunked'],
  ])('by %s never looks complete', async (_name, header) => {
    const { port } = await bareUpstream((socket) => socket.end(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n2\r\nhi\r\n`))
    const front = await frontOf(port)
    await expect(fetch(front.origin).then((response) => response.text())).rejects.toThrow()
    expect(await front.result()).toMatchObject({ kind: 'cut', status: 200 })
  })

  test('by silence on an event stream is told', async () => {
    const { port } = await upstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
    })
    // Long enough for the first event to come through on a busy machine.
    const front = await frontOf(port, { idleTimeoutMs: 1_000 })
    const text = await (await fetch(front.origin)).text()
    expect(text).toMatch(/^data: 1\n\nevent: error\ndata: .*"code":"upstream_timeout"/)
    expect(await front.result()).toMatchObject({ kind: 'cut', reason: 'no byte for too long', explained: false })
  })

  test('is told with the provider’s own reason, where it gives one', async () => {
    const { port } = await upstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n', () => response.destroy())
    })
    const front = await frontOf(port, { whyBrokenOff: () => Promise.resolve('its owner has paused sharing') })
    const text = await (await fetch(front.origin)).text()
    expect(text).toMatch(/^data: 1\n\nevent: error\ndata: .*its owner has paused sharing.*"code":"no_provider"/)
    expect(await front.result()).toMatchObject({ kind: 'cut', explained: true })
  })
})

const CASES = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'cases')

describe('an answer of which only the head came', () => {
  test.each([
    ['and no more', readFileSync(join(CASES, '12-head-then-close.answer'))],
    [
      'and the size of a chunk',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n',
    ],
    ['with a length', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n'],
  ])('%s leaves a client of a model untouched, so that another may be asked', async (_what, bytes) => {
    const { port } = await bareUpstream((socket) => socket.end(bytes))
    const front = await frontOf(port, { holdsHead: true })
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toMatchObject({ kind: 'failed', cause: 'lost' })
  })

  test('with bare line feeds fails at its first line and not when the time is over', async () => {
    const { port } = await bareUpstream((socket) => socket.write(readFileSync(join(CASES, '16-lf-only-head.answer'))))
    const front = await frontOf(port)
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('line feed') as string,
    })
  })

  test.each(['SSH-2.0-OpenSSH_9.6\r\n', '+PONG'])('and is no HTTP (%j) fails at once', async (bytes) => {
    const { port } = await bareUpstream((socket) => socket.write(bytes))
    const front = await frontOf(port)
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toMatchObject({ kind: 'failed' })
  })
})

describe('an event stream of a model that ends with its connection', () => {
  const chat = { path: '/v1/chat/completions', isComplete: () => true }

  test('inside an event is told as broken off, where HTTP/1.0 knows no difference', async () => {
    const { port } = await bareUpstream((socket) => socket.end(readFileSync(join(CASES, '11-http10-truncated.answer'))))
    const front = await frontOf(port, chat)
    const text = await (await fetch(front.origin)).text()
    expect(text).toMatch(/"half of".*\n\nevent: error\ndata: .*in the middle of an event.*"code":"upstream_failed"/s)
    expect(text).not.toContain('"del\n')
    expect(await front.result()).toMatchObject({ kind: 'cut' })
  })

  test('with a reason for its end is complete without [DONE]', async () => {
    const events = readFileSync(join(CASES, '10-no-done.sse'), 'utf8')
    const { port } = await bareUpstream((socket) =>
      socket.end(`HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${events}`),
    )
    const front = await frontOf(port, chat)
    expect(await (await fetch(front.origin)).text()).toBe(events)
    expect(await front.result()).toMatchObject({ kind: 'relayed' })
  })

  test('without any mark is told as broken off, whatever its connection says', async () => {
    const { port } = await upstream((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"choices":[]}\n\n'),
    )
    const front = await frontOf(port, chat)
    expect(await (await fetch(front.origin)).text()).toContain('without the mark')
    expect(await front.result()).toMatchObject({ kind: 'cut' })
  })
})

describe('a status that concerns the owner of a server alone', () => {
  test('is not handed to the client, and leaves it untouched', async () => {
    const { port } = await upstream((_request, response) => response.writeHead(401).end('Invalid API Key'))
    const front = await frontOf(port, { neverRelayed: new Set([401]) })
    expect((await fetch(front.origin)).status).toBe(599)
    expect(await front.result()).toMatchObject({ kind: 'refused', status: 401 })
  })
})

describe('behind comments', () => {
  test('another answer than an event stream is told with the provider’s own words', async () => {
    const { port } = await upstream((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"error": {"message": "context too long",\n"code": null}}')
    })
    const held = await frontOf(port, { comments: 1, addOwnHeaders: () => undefined })
    // The comment goes out while the server is still connecting: the first write wins either way.
    const response = await fetch(held.origin)
    const text = await response.text()
    expect(await held.result()).toMatchObject({ kind: 'relayed', status: 400 })
    if (response.status === 200) expect(text).toContain('data: {"error":{"message":"context too long","code":null}}')
    else expect(text).toContain('context too long')
  })

  test('a failed try leaves the client waiting for the next', async () => {
    const { port } = await bareUpstream((socket) => setTimeout(() => socket.end(), 30))
    const front = await frontOf(port, { comments: 1 })
    const connection = front.raw('GET / HTTP/1.0\r\nHost: x\r\n\r\n')
    expect(await front.result()).toMatchObject({ kind: 'failed' })
    expect(connection.seen()).not.toContain('event: error')
    connection.socket.destroy()
  })
})

describe('a client that goes away', () => {
  test('before headers ends the try at the server', async () => {
    const seen = Promise.withResolvers<undefined>()
    const arrived = Promise.withResolvers<undefined>()
    const { port } = await upstream((_request, response) => {
      response.on('close', () => seen.resolve(undefined))
      arrived.resolve(undefined)
    })
    const front = await frontOf(port)
    const { socket } = front.raw('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrived.promise
    socket.destroy()
    expect(await front.result()).toEqual({ kind: 'client-gone' })
    await seen.promise
  })

  test('in the middle of its upload is not the provider’s fault', async () => {
    const arrived = Promise.withResolvers<undefined>()
    const seen = Promise.withResolvers<undefined>()
    const { port } = await upstream((request) => {
      request.once('data', () => arrived.resolve(undefined))
      request.once('error', () => seen.resolve(undefined))
    })
    const front = await frontOf(port)
    const { socket } = front.raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf')
    await arrived.promise
    socket.resetAndDestroy()
    expect(await front.result()).toEqual({ kind: 'client-gone' })
    await seen.promise
  })
})

describe('a streamed upload', () => {
  test('arrives whole, with back-pressure', async () => {
    let received = 0
    const { port } = await upstream((request, response) => {
      request.on('data', (chunk: Buffer) => (received += chunk.length))
      request.on('end', () => response.end(String(received)))
    })
    const front = await frontOf(port)
    const response = await fetch(front.origin, { method: 'POST', body: Buffer.alloc(8 * 1024 * 1024, 'u') })
    expect(await response.text()).toBe(String(8 * 1024 * 1024))
  })

  test('whose provider dies leaves the client with an answer', async () => {
    const { port } = await bareUpstream((socket) => socket.resetAndDestroy())
    const front = await frontOf(port)
    const connection = front.raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf')
    const result = await front.result()
    expect(result).toMatchObject({ kind: 'failed', stage: 'before-headers' })
    connection.socket.end()
    expect((await connection.ended).text).toMatch(/^HTTP\/1\.1 599 /)
  })

  test('that was answered before it was read leaves the client with that answer', async () => {
    const { port } = await bareUpstream((socket) => {
      socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch')
    })
    const front = await frontOf(port)
    const connection = front.raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf')
    expect(await front.result()).toMatchObject({ kind: 'relayed', status: 413 })
    connection.socket.end()
    expect((await connection.ended).text).toMatch(/^HTTP\/1\.1 413 [^]*\r\n\r\nmuch/)
  })

  test('is untouched by a try that got no connection', async () => {
    const dead = await startTestServer(() => undefined)
    await dead.close()
    const front = await frontOf(dead.port)
    const connection = front.raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody')
    expect(await front.result()).toMatchObject({ kind: 'failed', stage: 'connect' })
    const [request] = front.requests
    expect(request!.destroyed && !request!.complete).toBe(false)
    expect((await connection.ended).text).toMatch(/^HTTP\/1\.1 599 /)
  })
})
