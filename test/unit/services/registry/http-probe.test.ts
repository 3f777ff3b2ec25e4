import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { createHttpProbe, type HttpProbe, type ProbeAnswer } from '../../../../src-main/services/registry/http-probe.js'

const probe = createHttpProbe()
let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function answering(listener: RequestListener): Promise<number> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

type Asked = Partial<Parameters<HttpProbe['get']>[0]>

/** Asks a port for `/x`, with time enough and up to 100 bytes unless told. */
function ask(port: number, asked: Asked & { by?: HttpProbe } = {}): Promise<ProbeAnswer> {
  const { by = probe, ...rest } = asked
  return by.get({
    ...{ host: '127.0.0.1', port, path: '/x', apiKey: undefined, timeoutMs: 30_000, maxBytes: 100 },
    signal: new AbortController().signal,
    ...rest,
  })
}

test('an answer comes with its status, heads and text; key and headers were sent, and no connection is kept', async () => {
  let seen = {}
  const port = await answering(({ url, headers }, response) => {
    const { authorization, connection, accept, 'x-hop': hop } = headers
    seen = { url, authorization, connection, accept, hop }
    response.writeHead(418, { 'x-own': 'yes' }).end('tea')
  })
  const answer = await ask(port, { apiKey: 'key', headers: { 'x-hop': '1' } })
  expect(answer).toMatchObject({ kind: 'answer', status: 418, body: 'tea', headers: { 'x-own': 'yes' } })
  expect(seen).toEqual({
    ...{ url: '/x', authorization: 'Bearer key', connection: 'close', accept: 'application/json', hop: '1' },
  })
})

test('what was packed though it was not asked for is unpacked, and counts as it is then', async () => {
  const port = await answering(({ url }, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'.repeat(url === '/short' ? 100 : 101)))
  })
  expect(await ask(port, { path: '/short' })).toMatchObject({ kind: 'answer', body: 'a'.repeat(100) })
  expect(await ask(port)).toEqual({ kind: 'too-long' })
})

test('a redirect is an answer', async () => {
  const port = await answering((_request, response) => response.writeHead(302, { location: '/y' }).end())
  expect(await ask(port)).toMatchObject({ kind: 'answer', status: 302 })
})

test('of an endless answer no more is read than may be', async () => {
  const port = await answering((_request, response) => {
    const more = (): void => {
      while (response.write('x'.repeat(1024)));
      response.once('drain', more)
    }
    more()
  })
  expect(await ask(port)).toEqual({ kind: 'too-long' })
})

test('nothing that listens refuses; what does not answer in time is told apart, in its head and in its body', async () => {
  const free = await answering(() => undefined)
  server?.close()
  expect(await ask(free)).toEqual({ kind: 'refused' })
  const port = await answering(({ url }, response) => {
    if (url === '/body') response.writeHead(200).write('begun')
  })
  expect(await ask(port, { timeoutMs: 50 })).toEqual({ kind: 'timeout' })
  expect(await ask(port, { path: '/body', timeoutMs: 50 })).toEqual({ kind: 'timeout' })
})

test('what is no HTTP, another protocol or a broken connection is broken', async () => {
  const tcp = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1')
  try {
    await once(tcp, 'listening')
    expect(await ask((tcp.address() as AddressInfo).port)).toMatchObject({ kind: 'broken' })
  } finally {
    tcp.close()
  }
  const port = await answering(({ url, socket }, response) => {
    if (url === '/half') response.writeHead(200, { 'content-length': 10 }).write('half', () => socket.destroy())
    else socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  })
  expect(await ask(port)).toMatchObject({ kind: 'broken' })
  expect(await ask(port, { path: '/half' })).toEqual({ kind: 'broken', reason: 'ECONNRESET' })
})

test('one that is closed or told to stop waits for no answer and asks no more', async () => {
  const closing = createHttpProbe()
  const stopping = new AbortController()
  let asked = 0
  const port = await answering(() => {
    asked += 1
    if (asked < 2) return
    stopping.abort()
    void closing.close()
  })
  const answers = await Promise.all([ask(port, { by: closing }), ask(port, { signal: stopping.signal })])
  expect(answers.map(({ kind }) => kind)).toEqual(['broken', 'broken'])
  expect(await ask(port, { by: closing })).toMatchObject({ kind: 'broken' })
  expect(asked).toBe(2)
})
