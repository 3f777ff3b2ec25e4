import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'
import type { Client } from '#shared/contract/client.js'
import { createControlClient } from '../../src-main/api/client.js'
import { openRaw } from '../fixtures/http-server.js'
import { readBody } from '../fixtures/model-servers/index.js'
import { startSocketServer, type SocketServer } from '../fixtures/model-servers/socket-server.js'
import { flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

type Control = Pick<Client, 'call'>

let user: NodeProcess
let one: NodeProcess
let two: NodeProcess
let server: SocketServer
let other: SocketServer
let owner: Control
let userControl: Control

const SHARED = ['--service.shared-path', 'WEBSOCKET /v1/realtime']

beforeAll(async () => {
  ;[server, other] = await Promise.all([startSocketServer(), startSocketServer()])
  user = await startNodeProcess({ flags: ['--demo-model', 'off', '--cors-origins', 'https://mine.example'] })
  const provider = (port: number): Promise<NodeProcess> =>
    startNodeProcess({ flags: [...flagsToJoin(user), '--demo-model', 'off', ...llmFlags(port), ...SHARED] })
  ;[one, two] = await Promise.all([provider(server.port), provider(other.port)])
  const controlOf = ({ dataDir }: NodeProcess): Control =>
    createControlClient({ controlFile: join(dataDir, 'control.json') })
  owner = controlOf(one)
  userControl = controlOf(user)
  await untilListed(user.gateway, 'test-model', 15_000)
  await until(async () => (await (await fetch(`${user.gateway}/v1/models`)).text()).includes('"providers":2'), {
    what: 'both providers are known',
    limitMs: 15_000,
  })
})

const opened: WebSocket[] = []
afterEach(() => {
  server.refuseWith = other.refuseWith = undefined
  server.silent = other.silent = false
  for (const socket of opened.splice(0)) socket.terminate()
})

afterAll(async () => {
  for (const node of [one, two, user]) expect(node.stderr()).not.toContain('a request failed inside this node')
  await Promise.all([one.stop(), two.stop()])
  await user.stop()
  await Promise.all([server.close(), other.close()])
})

const viaPeer = (path = '/v1/realtime?model=test-model'): string => `/v1/p2p/${one.peerId}/v1/_service/llm${path}`

function open(path: string, options: ClientOptions & { protocols?: string[] } = {}): WebSocket {
  const { protocols = [], ...rest } = options
  const socket = new WebSocket(`${user.gateway.replace('http', 'ws')}${path}`, protocols, rest)
  socket.on('error', () => undefined)
  opened.push(socket)
  return socket
}

async function connected(path: string, options: Parameters<typeof open>[1] = {}): Promise<WebSocket> {
  const socket = open(path, options)
  await Promise.race([
    once(socket, 'open'),
    once(socket, 'unexpected-response').then(async ([, response]) => {
      throw new Error((await readBody(response as IncomingMessage)).toString())
    }),
  ])
  return socket
}

/** Headers of the 101, once the WebSocket is open. */
async function answerTo(socket: WebSocket): Promise<IncomingMessage['headers']> {
  const [[response]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [
    [IncomingMessage],
    unknown,
  ]
  return response.headers
}

/** Status and code of a refused handshake. */
async function refused(path: string, options: Parameters<typeof open>[1] = {}): Promise<string> {
  const [, response] = (await once(open(path, options), 'unexpected-response')) as [unknown, IncomingMessage]
  const body = (await readBody(response)).toString()
  if (!body.startsWith('{"error"')) return `${response.statusCode} ${body}`
  return `${response.statusCode} ${(JSON.parse(body) as { error: { code: string } }).error.code}`
}

async function echoed(socket: WebSocket, message: string | Buffer): Promise<{ data: Buffer; isBinary: boolean }> {
  const answer = once(socket, 'message')
  socket.send(message)
  const [data, isBinary] = (await answer) as [Buffer, boolean]
  return { data, isBinary }
}

const untilUsed = (slots: number): Promise<true> =>
  until(async () => (await owner.call('limits.get', {})).slots.used === slots, { what: `${slots} slots are used` })

const closeOf = async (socket: WebSocket): Promise<number> => ((await once(socket, 'close')) as [number])[0]

describe('a WebSocket reaches a provider', () => {
  test.each([
    ['of the model in the query', () => '/v1/realtime?model=test-model'],
    ['of a global service', () => '/v1/service/llm/v1/realtime?model=test-model'],
    ['named by its peer id', () => viaPeer()],
  ])('%s: text, binary, frames of 1 MB, both ways at once', async (_way, path) => {
    const socket = await connected(path())
    expect(await echoed(socket, 'hello')).toEqual({ data: Buffer.from('hello'), isBinary: false })
    const large = randomBytes(1_000_000)
    const { data, isBinary } = await echoed(socket, large)
    expect(isBinary).toBe(true)
    expect(data.equals(large)).toBe(true)
    let left = 50
    const all = new Promise<void>((resolve) => {
      socket.on('message', () => {
        left -= 1
        if (left === 0) resolve()
      })
    })
    for (let turn = 0; turn < 50; turn += 1) socket.send(large.subarray(0, 100_000))
    await all
  })

  test('on this very node', async () => {
    const own = new WebSocket(`${one.gateway.replace('http', 'ws')}/v1/_service/llm/v1/anything`)
    opened.push(own)
    await once(own, 'open')
    expect((await echoed(own, 'mine')).data.toString()).toBe('mine')
  })

  test('with its sub-protocol, without its secrets, and says who served it', async () => {
    const socket = open('/v1/realtime?model=test-model', {
      protocols: ['realtime', 'openai-insecure-api-key.sk-mine', 'openai-beta.realtime-v1'],
      headers: {
        ...{ authorization: 'Bearer sk-mine', cookie: 'a=b', origin: 'https://mine.example', 'openai-beta': 'x=1' },
        'x-ocf-exclude': two.peerId,
      },
    })
    const headers = await answerTo(socket)
    expect(headers['x-computing-node']).toBe(one.peerId)
    expect(headers['x-ocf-tries']).toBe('1')
    expect(socket.protocol).toBe('realtime')
    const { request } = server.lastSocket()
    expect(request.headers['sec-websocket-protocol']).toBe('realtime, openai-beta.realtime-v1')
    expect(request.headers['openai-beta']).toBe('x=1')
    expect(JSON.stringify(request.headers)).not.toMatch(/sk-mine|cookie|origin/)
    expect(request.url).toBe('/v1/realtime?model=test-model')
  })
})

describe('the end of a WebSocket', () => {
  test('carries close codes both ways', async () => {
    const socket = await connected(viaPeer())
    const seen = server.lastSocket()
    const ended = closeOf(socket)
    socket.send('please close')
    expect(await ended).toBe(4001)
    const second = await connected(viaPeer())
    second.close(4002, 'enough')
    expect(await server.lastSocket().closed).toBe(4002)
    await seen.closed
  })

  test('comes to the client when the server dies', async () => {
    const socket = await connected(viaPeer())
    const ended = closeOf(socket)
    socket.send('please die')
    expect(await ended).toBe(1006)
  })

  test('comes to the server when the client dies', async () => {
    const socket = await connected(viaPeer())
    const seen = server.lastSocket()
    socket.terminate()
    expect(await seen.closed).toBe(1006)
  })

  test('comes to the server when the client leaves before its handshake is answered', async () => {
    server.silent = true
    const socket = open(viaPeer())
    const { gone } = await server.nextSilent()
    socket.terminate()
    await gone
  })

  test('gives the slot back, and is in the traffic feed and the ledger', async () => {
    const socket = await connected(viaPeer(), { headers: { 'x-request-id': 'a-socket' } })
    await echoed(socket, 'counted')
    // Those of the tests before may still be on their way out.
    await untilUsed(1)
    socket.close()
    await untilUsed(0)
    const entries = await userControl.call('traffic.recent', { limit: 100 })
    const entry = await until(
      async () =>
        (await userControl.call('traffic.recent', { limit: 100 })).find(
          ({ id, durationMs }) => id === 'a-socket' && durationMs !== null,
        ),
      { what: `the request is over among ${entries.length}` },
    )
    expect(entry).toMatchObject({ method: 'WEBSOCKET', status: 101, direction: 'out', peer: one.peerId, error: null })
    expect(entry.bytesIn).toBeGreaterThan(10)
    expect(entry.bytesOut).toBeGreaterThan(5)
  })
})

describe('a handshake is refused with a plain error', () => {
  test('where the owner shares no WebSocket under that path', async () => {
    expect(await refused(viaPeer('/v1/chat/completions'))).toBe('403 path_not_shared')
    expect(await refused(viaPeer('/v1/realtime/../x'))).toBe('403 path_not_shared')
  })

  test('where the whole service is shared, but no WebSocket was named', async () => {
    const control = JSON.parse(await readFile(join(one.dataDir, 'control.json'), 'utf8')) as { token: string }
    await fetch(`${one.gateway}/v1/dnt/_node`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${control.token}` },
      body: JSON.stringify({ name: 'tool', port: server.port, identity_group: ['all'] }),
    })
    const path = `/v1/p2p/${one.peerId}/v1/_service/tool/x`
    await until(async () => (await fetch(`${user.gateway}${path}`)).status === 426, { what: 'the tool is shared' })
    expect(await refused(path)).toBe('403 path_not_shared')
  })

  test('for want of a model, for an unknown one, and for a path that is none', async () => {
    expect(await refused('/v1/realtime')).toBe('400 missing_model')
    expect(await refused('/v1/realtime?model=nobody-has-it')).toBe('404 model_not_found')
    expect(await refused('/nowhere')).toBe('404 not_found')
    expect(await refused('/v1/p2p/nobody/x')).toBe('400 invalid_peer_id')
  })

  test('for a page whose origin may not use the gateway', async () => {
    const from = (origin: string) => refused('/v1/realtime?model=test-model', { headers: { origin } })
    expect(await from('https://evil.example')).toBe('403 forbidden_origin')
    expect(await from('null')).toBe('403 forbidden_origin')
  })

  test('for any page that asks a peer or this node’s own service by name', async () => {
    const headers = { origin: 'https://mine.example' }
    expect(await refused(viaPeer(), { headers })).toBe('403 forbidden_origin')
    expect(await refused('/v1/_service/llm/v1/realtime', { headers })).toBe('403 forbidden_origin')
  })

  test('where the owner limits tokens, which no one can count in a WebSocket', async () => {
    await owner.call('limits.set', { maxTokens: 100 })
    expect(await refused(viaPeer())).toBe('403 path_not_shared')
    await owner.call('limits.set', { maxTokens: 0 })
  })

  test('with the server’s own words', async () => {
    server.refuseWith = 409
    expect(await refused(viaPeer())).toBe('409 busy')
    // What is between the server and its node is not said to others.
    server.refuseWith = 401
    expect(await refused(viaPeer())).toMatch(/^502 /)
  })

  test('when it is none', async () => {
    const port = Number(new URL(user.gateway).port)
    const head = (lines: string): string =>
      `GET /v1/realtime?model=test-model HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines}\r\n`
    const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
    for (const bytes of [
      head(''),
      head(key),
      head(`Sec-WebSocket-Version: 8\r\n${key}`),
      head('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n'),
    ]) {
      const { text } = await openRaw(port, bytes).ended
      expect(text).toMatch(/^HTTP\/1\.1 400 [^]*"code":"invalid_request"/)
    }
    const { text } = await openRaw(port, head(`Sec-WebSocket-Version: 13\r\n${key}X-A: ${'x'.repeat(40_000)}\r\n`))
      .ended
    expect(text).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('behind another request on the same connection, without harm to the node', async () => {
    const port = Number(new URL(user.gateway).port)
    await openRaw(
      port,
      `GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n` +
        'GET /v1/realtime?model=test-model HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    ).ended
    expect((await fetch(`${user.gateway}/v1/health`)).status).toBe(200)
  })
})

test('a request that offers another protocol is answered as it is', async () => {
  const port = Number(new URL(user.gateway).port)
  const { text } = await openRaw(
    port,
    'GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n',
  ).ended
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
})

describe('before the handshake is answered', () => {
  test.each([503, 429])('a provider that refuses with %i is passed over', async (status) => {
    server.refuseWith = status
    const socket = open('/v1/realtime?model=test-model', { headers: { 'x-ocf-prefer': one.peerId } })
    const headers = await answerTo(socket)
    expect(headers['x-computing-node']).toBe(two.peerId)
    expect(headers['x-ocf-tries']).toBe('2')
    expect((await echoed(socket, 'hello')).data.toString()).toBe('hello')
  })
})

describe('the owner', () => {
  test('has a limit on sockets as on requests', async () => {
    await untilUsed(0)
    await owner.call('limits.set', { concurrent: 1, queue: 0 })
    const socket = await connected(viaPeer())
    expect(await refused(viaPeer())).toBe('429 provider_busy')
    socket.close()
    await untilUsed(0)
    await connected(viaPeer())
  })

  test('cuts a socket and refuses the next when sharing pauses', async () => {
    await owner.call('limits.set', { concurrent: 4 })
    const socket = await connected(viaPeer())
    const ended = closeOf(socket)
    await owner.call('pause.set', { forMs: null, cutAfterMs: 1 })
    expect(await ended).toBe(1006)
    expect(await refused(viaPeer())).toBe('503 no_provider')
  })
})
