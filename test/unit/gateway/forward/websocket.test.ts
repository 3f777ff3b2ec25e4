import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import {
  acceptedHeaders,
  assertHandshake,
  handshakeHeaders,
  isAccepted,
  type RelayEnd,
  relaySockets,
} from '../../../../src-main/gateway/forward/websocket.js'

/** The example of RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

describe('a handshake', () => {
  test('a WebSocket handshake has a key of 16 bytes and version 13', () => {
    expect(() => assertHandshake({ 'sec-websocket-key': KEY, 'sec-websocket-version': '13' })).not.toThrow()
    expect(() => assertHandshake({ 'sec-websocket-key': 'a', 'sec-websocket-version': '13' })).toThrow('handshake')
    expect(() => assertHandshake({ 'sec-websocket-key': KEY, 'sec-websocket-version': '8' })).toThrow('handshake')
  })

  test('a WebSocket handshake takes no sub-protocol with a secret to another computer', () => {
    const from = {
      'sec-websocket-protocol':
        'realtime, openai-insecure-api-key.sk-1, base64url.bearer.authorization.k8s.io.abc, x.v1',
      'sec-websocket-key': KEY,
    }
    expect(handshakeHeaders(from, 'llm')).toEqual({
      'sec-websocket-key': KEY,
      'sec-websocket-protocol': 'realtime, x.v1',
    })
    expect(handshakeHeaders(from, 'own')['sec-websocket-protocol']).toContain('sk-1')
    expect(handshakeHeaders({ 'sec-websocket-protocol': 'x'.repeat(100) }, 'generic')).toEqual({})
  })
})

test('a WebSocket handshake tells another computer only plain extensions and sub-protocols, both ways', () => {
  const plain = {
    'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits=15, x-a; b="c"',
    'sec-websocket-protocol': 'realtime',
  }
  const odd = { 'sec-websocket-extensions': 'x; y=/home/anna', 'sec-websocket-protocol': '/home/anna, a b' }
  expect([handshakeHeaders(plain, 'generic'), acceptedHeaders(plain, 'generic')]).toEqual([plain, plain])
  expect([handshakeHeaders(odd, 'generic'), acceptedHeaders(odd, 'llm')]).toEqual([{}, {}])
  expect(handshakeHeaders(odd, 'own')).toEqual(odd)
})

describe('an answer to a handshake', () => {
  test('a handshake is answered only by the hash of its key', () => {
    const request = { 'sec-websocket-key': KEY }
    expect(isAccepted({ 'sec-websocket-accept': ACCEPT, upgrade: 'WebSocket' }, request)).toBe(true)
    expect(isAccepted({ 'sec-websocket-accept': ACCEPT, upgrade: 'h2c' }, request)).toBe(false)
    expect(isAccepted({ 'sec-websocket-accept': ACCEPT.toLowerCase(), upgrade: 'websocket' }, request)).toBe(false)
    expect(isAccepted({}, request)).toBe(false)
  })

  test('a 101 of another computer sets nothing in the client’s browser', () => {
    const from = { 'sec-websocket-accept': ACCEPT, 'set-cookie': ['a=b'], 'x-powered-by': 'x' }
    expect(acceptedHeaders(from, 'generic')).toEqual({ 'sec-websocket-accept': ACCEPT })
    expect(acceptedHeaders(from, 'own')).toHaveProperty('set-cookie')
  })
})

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

/** Two ends of one TCP connection. */
async function connection(): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [near] = (await accepted) as [Socket]
  server.close()
  for (const socket of [near, far]) socket.on('error', () => undefined)
  cleanups.push(() => {
    near.destroy()
    far.destroy()
  })
  return [near, far]
}

async function relayed(idleMs = 0): Promise<{ client: Socket; server: Socket; end: Promise<RelayEnd> }> {
  const [[clientSide, client], [serverSide, server]] = await Promise.all([connection(), connection()])
  const end = relaySockets({ client: clientSide, server: serverSide }, { idleMs })
  return { client, server, end }
}

describe('two joined connections', () => {
  test('joined connections pass bytes both ways and end together when one side closes', async () => {
    const { client, server, end } = await relayed()
    const atServer = once(server, 'data')
    client.write('question')
    expect(String((await atServer)[0])).toBe('question')
    const atClient = once(client, 'data')
    server.write('answer!')
    expect(String((await atClient)[0])).toBe('answer!')
    server.end('last words')
    expect(String((await once(client, 'data'))[0])).toBe('last words')
    await once(client, 'end')
    client.end()
    server.resume()
    expect(await end).toEqual({ by: 'server', broken: false, clientBytes: 8, serverBytes: 17 })
  })

  test('joined connections report who broke the connection', async () => {
    for (const by of ['client', 'server'] as const) {
      const pair = await relayed()
      const other = by === 'client' ? pair.server : pair.client
      other.resume()
      other.once('end', () => other.end())
      pair[by].resetAndDestroy()
      expect(await pair.end).toMatchObject({ by, broken: true })
    }
  })

  test('joined connections do not wait for ever for a side that ignores the end of the other', async () => {
    const { client, server, end } = await relayed()
    server.resume()
    client.end()
    await once(server, 'end')
    expect(await end).toMatchObject({ by: 'client', broken: false })
  })

  test('joined connections are cut when neither side sends a byte for too long', async () => {
    const { client, server, end } = await relayed(500)
    client.resume()
    server.resume()
    client.write('x')
    expect(await end).toMatchObject({ by: 'idle', broken: false, clientBytes: 1 })
  })

  test('joined connections hold no more than buffers while one side does not read', async () => {
    const { client, server, end } = await relayed()
    client.pause()
    const block = Buffer.alloc(1024 * 1024)
    let written = 0
    // Until the writer is held back and stays so: what is on its way is in sockets, not in this process.
    for (let held = 0; held < 20 && written < 1024;) {
      if (server.write(block)) held = 0
      else if (server.writableLength > 0) held += 1
      written += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(server.writableLength).toBeGreaterThan(0)
    client.resume()
    server.end()
    let read = 0
    client.on('data', (chunk: Buffer) => (read += chunk.length))
    await once(client, 'end')
    expect(read).toBe(written * block.length)
    client.end()
    server.resume()
    expect((await end).serverBytes).toBe(read)
  })

  test('connections that are gone before they were joined are over at once', async () => {
    const [[clientSide], [serverSide]] = await Promise.all([connection(), connection()])
    clientSide.destroy()
    expect(await relaySockets({ client: clientSide, server: serverSide }, { idleMs: 0 })).toMatchObject({
      by: 'client',
      broken: true,
    })
    expect(serverSide.destroyed).toBe(true)
  })
})
