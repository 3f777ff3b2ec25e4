import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import type { ControlServer } from '../../src-main/api/http/index.js'
import { createHttpClient } from '../../src-renderer/client/http.js'
import { eventually } from '../fixtures/eventually.js'
import { OWNER_FILE } from '../fixtures/file-modes.js'
import { createFakeNode, type FakeNode } from './fake-node.js'
import { codeOf, rawRequest, rawUpgrade, type RawAnswer } from './raw-http.js'
import { startServer } from './transports.js'

let rendererDir: string
let node: FakeNode
let server: ControlServer
let dataDir: string
let stopServer: () => Promise<void>
let port: number

beforeAll(async () => {
  rendererDir = join(await mkdtemp(join(tmpdir(), 'ocf-renderer-')), 'renderer')
  await mkdir(join(rendererDir, 'assets'), { recursive: true })
  await writeFile(join(rendererDir, 'index.html'), '<!doctype html><title>dashboard</title>')
  await writeFile(join(rendererDir, 'assets', 'index-abc.js'), 'export {}')
  await writeFile(join(rendererDir, '..', 'secret.html'), 'not for you')
})
afterAll(() => rm(join(rendererDir, '..'), { recursive: true, force: true }))

beforeEach(async () => {
  node = createFakeNode()
  ;({ server, dataDir, close: stopServer } = await startServer(node, { rendererDir }))
  port = Number(new URL(server.url).port)
})
afterEach(async () => {
  await stopServer()
  expect(node.errors).toEqual([])
})

function call(options: { headers?: Record<string, string>; name?: string; body?: string | Buffer; path?: string }) {
  return rawRequest({
    port,
    method: 'POST',
    path: options.path ?? `/api/call/${options.name ?? 'node.status'}`,
    headers: {
      Host: `127.0.0.1:${port}`,
      'Content-Type': 'application/json',
      Authorization: `Bearer ${server.token}`,
      ...options.headers,
    },
    body: options.body ?? '{}',
  })
}

const page = (path: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  rawRequest({ port, path, headers: { Host: `127.0.0.1:${port}`, ...headers } })

const upgrade = (headers: Record<string, string>, path = '/api/feed'): Promise<number> =>
  rawUpgrade({ port, path, headers: { Host: `127.0.0.1:${port}`, ...headers } })

describe('who may call', () => {
  test('the owner of the token may, under each name of this machine', async () => {
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      expect((await call({ headers: { Host: host } })).status, host).toBe(200)
      expect((await call({ headers: { Host: host, Origin: `http://${host}` } })).status, host).toBe(200)
    }
  })

  test('a foreign Origin is refused, token or not', async () => {
    const foreign = [
      'http://evil.example',
      'null',
      `http://localhost:${port}`,
      `https://127.0.0.1:${port}`,
      'http://127.0.0.1',
    ]
    for (const origin of foreign) {
      const answer = await call({ headers: { Origin: origin } })
      expect([answer.status, codeOf(answer)], origin).toEqual([403, 'forbidden_origin'])
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
      expect((await page('/', { Origin: origin })).status).toBe(403)
    }
  })

  test('a wrong Host is refused: a name that was rebound to this machine', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.nip.io:${port}`,
    ]) {
      const answer = await call({ headers: { Host: host } })
      expect([answer.status, codeOf(answer)], host).toEqual([403, 'forbidden_host'])
      expect((await page('/', { Host: host })).status).toBe(403)
    }
  })

  test('a missing token is refused', async () => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${server.token}`,
      server.token,
      `Bearer ${server.token} x`,
    ]) {
      const answer = await call({ headers: { Authorization: authorization } })
      expect([answer.status, codeOf(answer)], authorization).toEqual([401, 'unauthorized'])
    }
  })

  test('the token lasts over a restart on the same folder', async () => {
    const { token } = server
    await server.stop()
    ;({ server } = await startServer(node, { rendererDir, dataDir }))
    port = Number(new URL(server.url).port)
    expect(server.token).toBe(token)
    expect((await call({})).status).toBe(200)
  })

  test('only the owner of the token may replace it', async () => {
    const refused = await call({ path: '/api/replace-token', headers: { Authorization: 'Bearer wrong' } })
    expect(refused.status).toBe(401)
    const get = await page('/api/replace-token', { Authorization: `Bearer ${server.token}` })
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST'])
  })

  test('a token that was replaced opens nothing, ends the feeds it had opened, and the new one is in the control file', async () => {
    const old = server.token
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/feed`, ['ocf', `ocf.token.${old}`])
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    const ended = new Promise((resolve) => socket.addEventListener('close', resolve))
    const owner = createControlClient({ url: server.url, token: old })
    const answers = await Promise.allSettled([1, 2, 3].map(() => owner.dashboard({ replace: true })))
    await ended
    expect(server.token).not.toBe(old)
    expect(answers).toContainEqual({ status: 'fulfilled', value: server.dashboardUrl })
    const file = JSON.parse(await readFile(join(dataDir, 'control.json'), 'utf8')) as { token: string }
    expect(file.token).toBe(server.token)
    expect((await call({ headers: { Authorization: `Bearer ${old}` } })).status).toBe(401)
    expect(await upgrade({ 'Sec-WebSocket-Protocol': `ocf, ocf.token.${old}` })).toBe(401)
  })

  test('a token in the URL is no token', async () => {
    const answer = await call({ path: `/api/call/node.status?token=${server.token}`, headers: { Authorization: '' } })
    expect(answer.status).toBe(401)
    expect(await upgrade({ 'Sec-WebSocket-Protocol': 'ocf' }, `/api/feed?token=${server.token}`)).toBe(401)
  })

  test('too many wrong tokens are told to slow down, and the right one still passes', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 22; i++) statuses.push((await call({ headers: { Authorization: 'Bearer wrong' } })).status)
    expect(statuses).toEqual([...Array<number>(20).fill(401), 429, 429])
    const limited = await call({ headers: { Authorization: 'Bearer wrong' } })
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0)
    expect((await call({})).status).toBe(200)
  })

  test('a preflight gets no permission', async () => {
    const answer = await rawRequest({
      port,
      method: 'OPTIONS',
      path: '/api/call/node.status',
      headers: { Host: `127.0.0.1:${port}`, Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' },
    })
    expect(answer.status).toBe(403)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('what may be sent', () => {
  test('a huge body is refused, announced or not', async () => {
    const huge = Buffer.alloc(1024 * 1024 + 1, 0x20)
    expect(codeOf(await call({ body: huge, headers: { 'Content-Length': String(huge.length) } }))).toBe(
      'body_too_large',
    )
    const chunked = await call({ body: huge, headers: { 'Transfer-Encoding': 'chunked' } })
    expect([chunked.status, codeOf(chunked)]).toEqual([413, 'body_too_large'])
  })

  test('only JSON, so that no plain form of another page is understood', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      expect((await call({ headers: { 'Content-Type': type } })).status, type).toBe(415)
    }
    expect(codeOf(await call({ body: '{"a":' }))).toBe('invalid_json')
  })

  test('only POST', async () => {
    const answer = await page('/api/call/node.status', { Authorization: `Bearer ${server.token}` })
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST'])
  })
})

describe('the feed socket', () => {
  const protocols = () => `ocf, ocf.token.${server.token}`

  test('opens for the owner of the token and never says the token back', async () => {
    expect(await upgrade({ 'Sec-WebSocket-Protocol': protocols(), Origin: `http://127.0.0.1:${port}` })).toBe(101)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/feed`, ['ocf', `ocf.token.${server.token}`])
    await eventually(() => expect(socket.readyState).toBe(WebSocket.OPEN))
    expect(socket.protocol).toBe('ocf')
    socket.close()
  })

  test('stays closed for a foreign Origin, a wrong Host, a missing or wrong token, another path', async () => {
    const good = { 'Sec-WebSocket-Protocol': protocols() }
    expect(await upgrade({ ...good, Origin: 'http://evil.example' })).toBe(403)
    expect(await upgrade({ ...good, Host: `evil.example:${port}` })).toBe(403)
    expect(await upgrade({ 'Sec-WebSocket-Protocol': 'ocf' })).toBe(401)
    expect(await upgrade({ 'Sec-WebSocket-Protocol': 'ocf, ocf.token.wrong' })).toBe(401)
    expect(await upgrade(good, '/api/other')).toBe(404)
  })

  test('is closed on what is no message, and the server lives on', async () => {
    for (const message of [
      'not json',
      '[]',
      '{"type":"follow"}',
      '{"type":"follow","id":-1,"feed":"logs"}',
      'x'.repeat(70_000),
    ]) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/api/feed`, ['ocf', `ocf.token.${server.token}`])
      const closed = new Promise<number>((resolve) => socket.addEventListener('close', (event) => resolve(event.code)))
      socket.addEventListener('open', () => socket.send(message))
      expect([1008, 1009], message.slice(0, 40)).toContain(await closed)
    }
    expect((await call({})).status).toBe(200)
  })

  test('a page follows at most 32 feeds at a time', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/feed`, ['ocf', `ocf.token.${server.token}`])
    const messages: { id: number; error?: { code: string } }[] = []
    socket.addEventListener('message', (event) => messages.push(JSON.parse(String(event.data)) as (typeof messages)[0]))
    await eventually(() => expect(socket.readyState).toBe(WebSocket.OPEN))
    for (let id = 0; id < 33; id++) socket.send(JSON.stringify({ type: 'follow', id, feed: 'status' }))
    await eventually(() => expect(messages).toHaveLength(33))
    expect(messages.filter(({ error }) => error?.code === 'rate_limited').map(({ id }) => id)).toEqual([32])
    socket.close()
  })
})

describe('the dashboard files', () => {
  test('are served with a strict policy that lets them talk to this server and the gateway only', async () => {
    const { status, headers, body } = await page('/')
    expect([status, body]).toEqual([200, '<!doctype html><title>dashboard</title>'])
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['cache-control']).toBe('no-cache')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${port} http://127.0.0.1:8092;`)
    expect(policy).not.toContain('unsafe')
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    })
    expect((await page('/assets/index-abc.js')).headers['cache-control']).toContain('immutable')
  })

  test('path traversal leads nowhere', async () => {
    const paths = [
      '/../secret.html',
      '/assets/../../secret.html',
      '/%2e%2e/secret.html',
      '/..%2fsecret.html',
      '/assets/..%5c..%5csecret.html',
      '//etc/passwd',
      '/index.html/../../secret.html',
      '/index.html%00.js',
      `${rendererDir}/index.html`,
    ]
    for (const path of paths) expect((await page(path)).status, path).toBe(404)
  })

  test('other methods are refused', async () => {
    const answer = await rawRequest({ port, method: 'PUT', path: '/', headers: { Host: `127.0.0.1:${port}` } })
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD'])
  })
})

describe('the control file', () => {
  test('is for its owner only and tells where the node is', async () => {
    const path = join(dataDir, 'control.json')
    expect((await stat(path)).mode & 0o777).toBe(OWNER_FILE)
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      url: server.url,
      token: server.token,
      pid: process.pid,
      gateway: 'http://127.0.0.1:8092',
    })
  })

  test('goes with the node, but not when another start has written its own', async () => {
    const path = join(dataDir, 'control.json')
    const other = JSON.stringify({ url: server.url, token: 'other', pid: 1, gateway: null })
    await writeFile(path, other)
    await server.stop()
    expect(await readFile(path, 'utf8')).toBe(other)
  })
})

describe('starting and stopping', () => {
  test('a port in use is named together with the setting to change', async () => {
    const starting = startServer(node, { port })
    await expect(starting).rejects.toMatchObject({ code: 'port_in_use' })
    await expect(starting).rejects.toThrow('--api-port')
  })

  test('stopping ends open feeds and frees the port, once', async () => {
    const client = createHttpClient({ url: server.url, token: server.token })
    const onSnapshot = vi.fn()
    const onLost = vi.fn()
    client.follow('status', { onSnapshot, onDelta: () => undefined, onLost })
    await eventually(() => expect(onSnapshot).toHaveBeenCalled())
    await Promise.all([server.stop(), server.stop()])
    await eventually(() => expect(onLost).toHaveBeenCalledWith(expect.objectContaining({ code: 'node_not_running' })))
    client.close()
    const next = createServer()
    await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve))
    expect((next.address() as AddressInfo).port).toBe(port)
    next.close()
  })
})

test('the token is in no URL that a client asks for', async () => {
  const urls: string[] = []
  const realFetch = globalThis.fetch
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    urls.push(String(input instanceof Request ? input.url : input))
    return realFetch(input, init)
  })
  const RealWebSocket = globalThis.WebSocket
  class SpyingWebSocket extends RealWebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      urls.push(url)
    }
  }
  vi.stubGlobal('WebSocket', SpyingWebSocket)
  const client = createHttpClient({ url: server.url, token: server.token })
  try {
    await client.call('node.status', {})
    const onSnapshot = vi.fn()
    client.follow('status', { onSnapshot, onDelta: () => undefined })
    await eventually(() => expect(onSnapshot).toHaveBeenCalled())
    expect(urls).toHaveLength(2)
    expect(urls.join(' ')).not.toContain(server.token)
    expect(new URL(server.dashboardUrl).hash).toBe(`#token=${server.token}`)
  } finally {
    client.close()
    spy.mockRestore()
    vi.unstubAllGlobals()
  }
})
