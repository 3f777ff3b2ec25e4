import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import type { Exchange } from '../../../../src-main/gateway/forward/exchange.js'
import { createForwarder } from '../../../../src-main/gateway/forward/forwarder.js'
import { createLocalClients } from '../../../../src-main/gateway/forward/local-clients.js'
import { Reply } from '../../../../src-main/gateway/forward/reply.js'
import { hasBody, readAll } from '../../../../src-main/gateway/body/request-body.js'
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
    reachability: {},
    admission: { beginOwn: () => () => undefined },
    paths: { pathTo: () => null },
    log: createRecordingLog(),
  }
  const forwarder = createForwarder(needs as unknown as Parameters<typeof createForwarder>[0], { idleTimeoutMs: 0 })
  const traffic = { update() {}, firstByte() {}, addBytes() {}, attempted() {}, finish() {} }

  async function forward(exchange: Exchange, response: ServerResponse): Promise<void> {
    if (hasBody(exchange.request)) exchange.body = { kind: 'read', bytes: await readAll(exchange.request, 1024) }
    try {
      await forwarder.toLocalService(exchange, service, path)
    } catch (error) {
      response.writeHead(error instanceof AppError ? error.status : 500).end()
    }
  }

  const server = await startTestServer((request, response) => {
    const reply = new Reply(response, { door: 'local', requestId: 'r1' })
    const startedAt = performance.now()
    const exchange: Exchange = {
      ...{ door: 'local', requestId: 'r1', hops: 'self', traffic, request, reply, startedAt },
      body: { kind: 'none' },
    }
    void forward(exchange, response)
  })
  cleanups.push(() => server.close())
  return { ...server, failures }
}

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
