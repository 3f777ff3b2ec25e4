import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { Listeners } from '../../../../src-main/base/listeners.js'
import { BodyMemory } from '../../../../src-main/gateway/body/body-memory.js'
import { readBody } from '../../../../src-main/gateway/body/read-body.js'
import { hasBody } from '../../../../src-main/gateway/body/request-body.js'
import type { Exchange } from '../../../../src-main/gateway/forward/exchange.js'
import { createForwarder } from '../../../../src-main/gateway/forward/forwarder.js'
import { createLocalClients } from '../../../../src-main/gateway/forward/local-clients.js'
import { Reply } from '../../../../src-main/gateway/forward/reply.js'
import type { Provider } from '../../../../src-main/gateway/routing/choose-providers.js'
import { Patience } from '../../../../src-main/gateway/routing/patience.js'
import { createProviderScores } from '../../../../src-main/gateway/routing/provider-scores.js'
import { ConnectFailedError, ConnectionLostError, type HttpClient } from '../../../../src-main/http-client/index.js'
import { DeadPeerError } from '../../../../src-main/p2p/hardening/liveness/dead-peer.js'
import { PeerUnreachableError } from '../../../../src-main/p2p/index.js'
import type { LocalService } from '../../../../src-main/services/index.js'
import { startTestServer, type TestServer } from '../../../fixtures/http-server.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { workWithoutPrompt } from '../../../fixtures/request-work.js'
import { until } from '../../../fixtures/until.js'

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
  visibility: 'everyone',
  visibilities: new Map(),
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
    host: { peerId: 'self', isConnected: () => true },
    loops: { begin: () => () => undefined, isProven: () => false },
    reach: { isTrusted: (peerId: string) => peerId.startsWith('friend') },
    peerClients: {},
    localClients,
    registry: {
      get: () => service,
      apiKey: () => undefined,
      reportSuccess: () => undefined,
      reportMissing: () => undefined,
      reportFailure: (id: string) => failures.push(id),
    },
    health: {},
    offers: {},
    scores: createProviderScores({ monotonic: { elapsedMs: () => performance.now() } }),
    admission: { beginOwn: () => () => undefined },
    paths: { pathTo: () => null },
    table: { subscribe: () => () => undefined },
    log: createRecordingLog(),
  }
  const forwarder = createForwarder(needs as unknown as Parameters<typeof createForwarder>[0], {
    'gateway.idle-timeout': 0,
    'use.exposure': 2,
    'use.continue': 'off',
    'use.hedge': true,
  })
  const traffic = { update() {}, firstByte() {}, addBytes() {}, attempted() {}, finish() {} }

  async function forward(exchange: Exchange, response: ServerResponse): Promise<void> {
    if (hasBody(exchange.request))
      exchange.body = { kind: 'read', bytes: (await readBody(exchange.request, { maxBytes: 1024 })).bytes }
    try {
      await forwarder.toOwnServices(exchange, [service], path)
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

type Act = 'answer' | 'not-found' | 'refuse' | 'unreachable' | 'silent' | 'silent-relay' | 'killed' | 'lost' | 'hold'

/** A peer's client; its stream had served before. `leave` is called with what ends its connection. */
function peerThat(act: Act, leave: () => void): Pick<HttpClient, 'send'> {
  return {
    send(_request, handler) {
      if (act === 'hold') return
      if (act === 'lost') {
        leave()
        handler.onError(new PeerUnreachableError('peer', new Error('closed'), { wasLost: true }))
        return
      }
      handler.onStart({ abort: () => undefined, pause: () => undefined, resume: () => undefined })
      if (act === 'answer' || act === 'not-found') {
        handler.onHead(act === 'answer' ? 200 : 404, { 'content-type': 'text/plain' })
        handler.onData(Buffer.from('here'))
        handler.onEnd()
      } else if (act === 'refuse') {
        handler.onHead(503, {})
        handler.onEnd()
      } else if (act === 'killed') {
        leave()
        handler.onError(new ConnectionLostError(true))
      } else if (act === 'unreachable') handler.onError(new ConnectFailedError(new Error('no way'), 'not reachable'))
      else handler.onError(new ConnectionLostError(true, new DeadPeerError(act === 'silent-relay')))
    },
  }
}

/** What each of the peers does with the requests it gets, one after the other; tells who was asked. */
async function front(acts: Record<string, Act[]>, service = 'llm', exposure = 2) {
  const asked: string[] = []
  const askedForOffers: string[] = []
  const lost = new Set(Object.keys(acts).filter((peerId) => peerId.startsWith('away')))
  const suspicions = new Listeners<[{ remotePeer: string }]>()
  const liveness = { isDoubted: () => false, onSuspect: suspicions.add.bind(suspicions) }
  const isConnected = (peerId: string): boolean => !lost.has(peerId)
  const needs = {
    host: { peerId: 'self', isConnected, connectionsTo: () => [], liveness },
    loops: { begin: () => () => undefined, isProven: () => false },
    reach: { isTrusted: (peerId: string) => peerId.startsWith('friend') },
    peerClients: {
      to(peerId: string) {
        asked.push(peerId)
        lost.delete(peerId)
        return peerThat(acts[peerId]?.shift() ?? 'silent', () => lost.add(peerId))
      },
    },
    registry: {},
    health: {
      reportSuccess: () => undefined,
      reportMissing: () => undefined,
      reportFailure: () => undefined,
      reportOfferFailure: () => undefined,
      whyBrokenOff: () => Promise.resolve(undefined),
    },
    offers: { ask: (peerId: string) => askedForOffers.push(peerId) },
    scores: createProviderScores({ monotonic: { elapsedMs: () => performance.now() } }),
    patience: new Patience(),
    paths: { pathTo: () => null },
    table: { subscribe: () => () => undefined },
    log: createRecordingLog(),
  }
  const forwarder = createForwarder(needs as unknown as Parameters<typeof createForwarder>[0], {
    'gateway.idle-timeout': 0,
    'use.exposure': exposure,
    'use.continue': 'off',
    'use.hedge': true,
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
      await forwarder.toProviders(
        exchange,
        { service, path: '/x', what: 'the model', work: workWithoutPrompt('llm'), considered: [] },
        providers,
      )
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
  return { asked, askedForOffers, post, suspect: (peerId: string) => suspicions.notify({ remotePeer: peerId }) }
}

test('a provider that does not know what it offered is asked what it offers now', async () => {
  const { askedForOffers, post } = await front({ one: ['answer', 'not-found'] })
  expect([await post(), askedForOffers]).toEqual([200, []])
  expect([await post(), askedForOffers]).toEqual([404, ['one']])
})

test('a provider that died between two requests is not dialled while another one is connected', async () => {
  const { asked, post } = await front({ one: ['killed', 'answer'], two: ['answer'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'two'])
})

test('the only provider whose connection was lost between two requests is asked anew', async () => {
  const { asked, post } = await front({ one: ['killed', 'answer'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'one'])
})

test('a provider whose connection is lost while a stream opens is asked once more after all others', async () => {
  const { asked, post } = await front({ one: ['lost', 'answer'], two: ['refuse'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'two', 'one'])
})

test('a provider that is not connected is dialled after all that are', async () => {
  const { asked, post } = await front({ away: ['answer'], two: ['refuse'], three: ['answer'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['two', 'three'])
})

test('a request that waits at a provider that is most likely gone moves to one that is there', async () => {
  const { asked, post, suspect } = await front({ one: ['hold'], two: ['answer'] })
  const answered = post()
  await until(() => asked.length === 1, { what: 'the first provider has the request' })
  suspect('one')
  expect(await answered).toBe(200)
  expect(asked).toEqual(['one', 'two'])
})

test('a request that may have been done already does not leave a provider that is most likely gone', async () => {
  const { asked, post, suspect } = await front({ one: ['hold'], two: ['answer'] }, 'tool')
  const answered = post()
  await until(() => asked.length === 1, { what: 'the first provider has the request' })
  suspect('one')
  suspect('two')
  expect(asked).toEqual(['one'])
  void answered.catch(() => undefined)
})

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

test('a request that strangers refuse is read by no more of them than the exposure allows', async () => {
  const { asked, post } = await front({ one: ['refuse'], two: ['refuse'], three: ['answer'] })
  expect(await post()).toBe(503)
  expect(asked).toEqual(['one', 'two'])
})

test('two strangers that refuse leave a third one where three may read a request, and three leave none', async () => {
  const lucky = await front({ one: ['refuse'], two: ['refuse'], three: ['answer'] }, 'llm', 3)
  expect([await lucky.post(), lucky.asked]).toEqual([200, ['one', 'two', 'three']])
  const liars = await front({ one: ['refuse'], two: ['refuse'], three: ['refuse'], four: ['answer'] }, 'llm', 3)
  expect([await liars.post(), liars.asked]).toEqual([503, ['one', 'two', 'three']])
})

test('peers that are trusted, and those that could not be reached, do not count as strangers who read it', async () => {
  const { asked, post } = await front({
    one: ['refuse'],
    gone: ['unreachable'],
    friend: ['refuse'],
    two: ['answer'],
  })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'gone', 'friend', 'two'])
})
