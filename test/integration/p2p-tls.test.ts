import { once } from 'node:events'
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, MultiaddrConnection, Stream, Upgrader } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tunings } from '../../src-main/p2p/hardening/transports/index.js'
import { tunedTransport } from '../../src-main/p2p/hardening/transports/intercept-upgrade.js'
import { createTlsIdentity } from '../../src-main/p2p/tls/certificate.js'
import { createTls } from '../../src-main/p2p/tls/index.js'
import { silentLog as log } from '../fixtures/hosts.js'
import { runFixture } from '../fixtures/typescript-child.js'
import { until } from '../fixtures/until.js'

const ECHO = '/test/echo/1.0.0'
const hosts: Libp2p[] = []
let server: Libp2p

async function startHost(kinds: readonly ('tls' | 'noise')[]): Promise<Libp2p> {
  const privateKey = await generateKeyPair('Ed25519')
  const tls = await createTls({ log }, privateKey)
  if (tls === undefined) throw new Error('there is no TLS')
  const host = await createLibp2p({
    privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] },
    // As nodes have them: stock, a WebSocket that is reset stays open.
    transports: [tunedTransport(tcp(), tunings(log).tcp), tunedTransport(webSockets(), tunings(log).ws)],
    connectionEncrypters: kinds.map((kind) => (kind === 'tls' ? tls : noise())),
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 1000 },
    connectionGater: { denyDialMultiaddr: () => false },
  })
  hosts.push(host)
  return host
}

const addressOf = (host: Libp2p, isWs: boolean) =>
  host.getMultiaddrs().find((address) => address.toString().includes('/ws') === isWs) ?? multiaddr('/ip4/127.0.0.1')

function echoBack(stream: Stream): void {
  stream.addEventListener('message', ({ data }) => void stream.send(data))
  stream.addEventListener('remoteCloseWrite', () => void stream.close())
}

beforeAll(async () => {
  server = await startHost(['tls', 'noise'])
  await server.handle(ECHO, echoBack)
})
afterAll(async () => {
  await Promise.all(hosts.map(async (host) => await host.stop()))
})

test.each([
  ['TCP', false],
  ['WebSocket', true],
])('two nodes take TLS over %s, and what is said arrives', async (_what, isWs) => {
  const client = await startHost(['tls', 'noise'])
  const connection = await client.dial(addressOf(server, isWs))
  expect(connection.encryption).toBe('/tls/1.0.0')
  expect(connection.remotePeer.equals(server.peerId)).toBe(true)
  const stream = await connection.newStream(ECHO)
  const sent = Buffer.alloc(3_000_000, 'what is said ')
  const came: Uint8Array[] = []
  stream.addEventListener('message', ({ data }) => void came.push(data.subarray()))
  stream.send(sent)
  await until(() => came.reduce((sum, { byteLength }) => sum + byteLength, 0) >= sent.length, { what: 'all is back' })
  expect(Buffer.concat(came).equals(sent)).toBe(true)
  await connection.close()
  await until(() => server.getConnections(client.peerId).length === 0, { what: 'both ends are closed' })
})

test.each([
  ['TCP', false],
  ['WebSocket', true],
])('with one that knows no TLS there is noise over %s', async (_what, isWs) => {
  const client = await startHost(['noise'])
  expect((await client.dial(addressOf(server, isWs))).encryption).toBe('/noise')
  const back = await startHost(['tls', 'noise'])
  expect((await back.dial(addressOf(client, isWs))).encryption).toBe('/noise')
})

test.each([
  ['TCP', false],
  ['WebSocket', true],
])('who is dialled as somebody else over %s is refused', async (_what, isWs) => {
  const client = await startHost(['tls'])
  const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  const address = addressOf(server, isWs).toString().replace(server.peerId.toString(), other.toString())
  await expect(client.dial(multiaddr(address))).rejects.toThrow()
  expect(client.getConnections()).toEqual([])
})

/** A client of multistream-select that has agreed on TLS, and goes on as it likes. */
async function agreeOnTls(): Promise<Socket> {
  const socket = connectSocket(Number(addressOf(server, false).toString().split('/')[4]), '127.0.0.1')
  socket.write(spoken('/multistream/1.0.0', '/tls/1.0.0'))
  let answer = ''
  while (!answer.includes('/tls/1.0.0\n')) {
    const [data] = (await once(socket, 'data')) as [Buffer]
    answer += data.toString('latin1')
  }
  socket.pause()
  socket.removeAllListeners('data')
  return socket
}

const spoken = (...protocols: string[]): Buffer =>
  Buffer.concat(protocols.map((protocol) => Buffer.from(`${String.fromCharCode(protocol.length + 1)}${protocol}\n`)))

/** Waits until the other end has closed it. */
async function letGo(socket: Socket): Promise<void> {
  socket.on('error', () => undefined)
  socket.resume()
  if (!socket.closed) await once(socket, 'close').catch(() => undefined)
}

test('who shows no certificate, or an older TLS, or bytes that are none, is let go', async () => {
  const before = server.getConnections().length
  const identity = await createTlsIdentity(await generateKeyPair('Ed25519'), Date.now())
  const words: readonly ConnectionOptions[] = [
    { ALPNProtocols: ['libp2p'] },
    { ...identity, maxVersion: 'TLSv1.2' },
    { ...identity, ALPNProtocols: ['h2'] },
  ]
  for (const options of words)
    await letGo(connect({ socket: await agreeOnTls(), rejectUnauthorized: false, ...options }))
  const raw = await agreeOnTls()
  raw.write(Buffer.alloc(512, 7))
  await letGo(raw)
  await until(() => server.getConnections().length === before, { what: 'none of them is connected' })
})

test('one that stays silent in the handshake is let go with the signal', async () => {
  const listening = createServer((socket) => socket.on('error', () => undefined))
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as { port: number }
  const socket = connectSocket(port, '127.0.0.1')
  await once(socket, 'connect')
  const client = await startHost(['tls'])
  const { components } = client as unknown as { components: { upgrader: Upgrader } }
  const [encrypter] = [...components.upgrader.getConnectionEncrypters().values()]
  const connection = {
    ...{ socket, readBuffer: new Uint8ArrayList(), status: 'open' },
    sendClose: () => Promise.resolve(),
  } as unknown as MultiaddrConnection
  const leaving = new AbortController()
  const secured = encrypter?.secureOutbound(connection, { signal: leaving.signal })
  leaving.abort(new Error('it takes too long'))
  await expect(secured).rejects.toThrow('it takes too long')
  await until(() => socket.destroyed, { what: 'the socket is gone' })
  listening.close()
})

// A connection that ended with its handshake once ended the whole program (decision 43).
test.each(['tcp', 'ws'])(
  'connections over %s that end at any moment end nothing else, and leave nothing',
  async (kind) => {
    const many = process.env['TLS_ENDINGS'] ?? '150'
    const child = runFixture('tls-endings.ts', [kind, many, '1'])
    const { secured, refused, ended } = JSON.parse(await child.line()) as Record<
      'secured' | 'refused' | 'ended',
      number
    >
    expect(await child.exit).toBe(0)
    expect(secured).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
    expect([secured + refused, ended]).toEqual([2 * Number(many), 2 * Number(many)])
  },
)
