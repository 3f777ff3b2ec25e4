import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { BodyMemory } from '../../../../src-main/gateway/body/body-memory.js'
import { readBody } from '../../../../src-main/gateway/body/read-body.js'
import { hasBody } from '../../../../src-main/gateway/body/request-body.js'
import type { Exchange } from '../../../../src-main/gateway/forward/exchange.js'
import { createForwarder } from '../../../../src-main/gateway/forward/forwarder.js'
import { createLocalClients } from '../../../../src-main/gateway/forward/local-clients.js'
import { Reply } from '../../../../src-main/gateway/forward/reply.js'
import type { Provider } from '../../../../src-main/gateway/routing/choose-providers.js'
import { ConnectionLostError, type HttpClient } from '../../../../src-main/http-client/index.js'
import { DeadPeerError } from '../../../../src-main/p2p/hardening/liveness/dead-peer.js'
import type { LocalService } from '../../../../src-main/services/index.js'
import { startTestServer, type TestServer } from '../../../fixtures/http-server.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** Answers the first request of each connection and resets the connection at its second. */
async function forgetfulServer(): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    let turn = 0
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      heads.push(chunk.toString('latin1').split('\r\n', 1)[0] ?? '')
      turn += 1
      if (turn === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      else socket.resetAndDestroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, heads }
}

const serviceAt = (name: string, port: number): LocalService => ({
  id: `${name}@127.0.0.1:${port}`,
  name,
  host: '127.0.0.1',
  port,
  status: 'connected',
  identityGroups: [],
  published: true,
  sharedPaths: [],
  serverModelIds: new Map(),
  models: [],
  problem: undefined,
})

/** A gateway that forwards everything to one service of this machine. */
async function frontOf(service: LocalService, path = '/x'): Promise<TestServer & { failures: string[] }> {
  const failures: string[] = []
  const localClients = createLocalClients()
  cleanups.push(() => localClients.stop())
  const needs = {
    host: { peerId: 'self' },
    peerClients: {},
    localClients,
    registry: {
      get: () => service,
      apiKey: () => undefined,
      reportSuccess: () => undefined,
      reportFailure: (id: string) => failures.push(id),
    },
    health: {},
    admission: { beginOwn: () => () => undefined },
    paths: { pathTo: () => null },
    log: createRecordingLog(),
  }
  const forwarder = createForwarder(needs as unknown as Parameters<typeof createForwarder>[0], {
    'gateway.idle-timeout': 0,
  })
  const traffic = { update() {}, firstByte() {}, addBytes() {}, attempted() {}, finish() {} }

  async function forward(exchange: Exchange, response: ServerResponse): Promise<void> {
    if (hasBody(exchange.request))
      exchange.body = { kind: 'read', bytes: (await readBody(exchange.request, { maxBytes: 1024 })).bytes }
    try {
      await forwarder.toLocalService(exchange, service, path)
    } catch (error) {
      response.writeHead(error instanceof AppError ? error.status : 500).end()
    }
  }

  const server = await startTestServer((request, response) => {
    const reply = new Reply(response, { listener: 'local', requestId: 'r1' })
    const startedAt = performance.now()
    const exchange: Exchange = {
      ...{ listener: 'local', requestId: 'r1', hops: 'self', traffic, request, reply, startedAt },
      body: { kind: 'none' },
      memory: bodies.hold(undefined),
    }
    void forward(exchange, response)
  })
  cleanups.push(() => server.close())
  return { ...server, failures }
}

const bodies = new BodyMemory(() => 1024 * 1024)
const BODIED = new Set(['POST', 'PUT', 'PATCH'])

const statusOf = async (origin: string, method: string): Promise<number> => {
  const response = await fetch(origin, { method, ...(BODIED.has(method) ? { body: '{}' } : {}) })
  await response.text()
  return response.status
}

describe('a request lost on a connection that had idled', () => {
  test.each([
    ['llm', 'POST'],
    ['llm', 'GET'],
    ['tool', 'GET'],
    ['tool', 'PUT'],
    ['tool', 'DELETE'],
  ])('to %s by %s is sent once more on a fresh one', async (name, method) => {
    const { port, heads } = await forgetfulServer()
    const { origin, failures } = await frontOf(serviceAt(name, port))
    expect(await statusOf(origin, method)).toBe(200)
    expect(await statusOf(origin, method)).toBe(200)
    expect(heads).toHaveLength(3)
    expect(failures).toEqual([])
  })

  test.each(['POST', 'PATCH'])('to another service by %s is not: it may have been done already', async (method) => {
    const { port, heads } = await forgetfulServer()
    const { origin, failures } = await frontOf(serviceAt('tool', port))
    expect(await statusOf(origin, method)).toBe(200)
    expect(await statusOf(origin, method)).toBe(502)
    expect(heads).toHaveLength(2)
    expect(failures).toHaveLength(1)
  })
})

test('a request this node can not send is the client’s fault, not the provider’s', async () => {
  const { port, heads } = await forgetfulServer()
  const { origin, failures } = await frontOf(serviceAt('tool', port), '/a b')
  expect(await statusOf(origin, 'GET')).toBe(400)
  expect(heads).toEqual([])
  expect(failures).toEqual([])
})

type Act = 'answer' | 'silent' | 'silent-relay'

/** A peer's client; its stream had served before. */
function peerThat(act: Act): Pick<HttpClient, 'send'> {
  return {
    send(_request, handler) {
      handler.onStart({ abort: () => undefined, pause: () => undefined, resume: () => undefined })
      if (act === 'answer') {
        handler.onHead(200, { 'content-type': 'text/plain' })
        handler.onData(Buffer.from('here'))
        handler.onEnd()
      } else handler.onError(new ConnectionLostError(true, new DeadPeerError(act === 'silent-relay')))
    },
  }
}

/** What each of the peers does with the requests it gets, one after the other; tells who was asked. */
async function front(acts: Record<string, Act[]>, service = 'llm') {
  const asked: string[] = []
  const needs = {
    host: { peerId: 'self' },
    peerClients: {
      to(peerId: string) {
        asked.push(peerId)
        return peerThat(acts[peerId]?.shift() ?? 'silent')
      },
    },
    registry: {},
    health: {
      reportSuccess: () => undefined,
      reportFailure: () => undefined,
      whyBrokenOff: () => Promise.resolve(undefined),
    },
    scores: { begin: () => ({ answered() {}, refused() {}, end() {} }) },
    paths: { pathTo: () => null },
    log: createRecordingLog(),
  }
  const forwarder = createForwarder(needs as unknown as Parameters<typeof createForwarder>[0], {
    'gateway.idle-timeout': 0,
  })
  const traffic = { update() {}, firstByte() {}, addBytes() {}, attempted() {}, finish() {} }
  const providers = Object.keys(acts).map((peerId): Provider => ({ kind: 'peer', peerId }))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = new Reply(response, { listener: 'local', requestId: 'r1' })
    const exchange = {
      ...{ listener: 'local', requestId: 'r1', hops: 'self', traffic, request, reply, startedAt: performance.now() },
      memory: bodies.hold(undefined),
      body: hasBody(request)
        ? { kind: 'read', bytes: (await readBody(request, { maxBytes: 1024 })).bytes }
        : { kind: 'none' },
    } as Exchange
    try {
      await forwarder.toProviders(exchange, { service, path: '/x', what: 'the model' }, providers)
    } catch (error) {
      response.writeHead(error instanceof AppError ? error.status : 500).end()
    }
  }
  const server = await startTestServer((request, response) => void answer(request, response))
  cleanups.push(() => server.close())
  const post = async (): Promise<number> => {
    const response = await fetch(server.origin, { method: 'POST', body: '{}' })
    await response.text()
    return response.status
  }
  return { asked, post }
}

test('a provider that fell silent is not asked again: the next one is', async () => {
  const { asked, post } = await front({ one: ['silent', 'answer'], two: ['answer'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'two'])
})

test('a provider whose relay fell silent is asked once more, over another, after all others', async () => {
  const { asked, post } = await front({ one: ['silent-relay', 'answer'], two: ['silent'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'two', 'one'])
})

test('a provider whose relay fell silent is not asked a third time', async () => {
  const { asked, post } = await front({ one: ['silent-relay', 'silent-relay', 'answer'] })
  expect(await post()).toBe(502)
  expect(asked).toEqual(['one', 'one'])
})

test('a request that may have been done already is not sent again over another relay', async () => {
  const { asked, post } = await front({ one: ['silent-relay', 'answer'] }, 'tool')
  expect(await post()).toBe(502)
  expect(asked).toEqual(['one'])
})
