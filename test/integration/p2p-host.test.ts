import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { StreamMessageEvent } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tuneStream } from '../../src-main/p2p/hardening/transports/index.js'
import type { Host } from '../../src-main/p2p/index.js'
import { addressesOver, createHosts, until, type HostFactory } from '../fixtures/hosts.js'
import { runFixture } from '../fixtures/typescript-child.js'

let hosts: HostFactory
beforeEach(() => {
  hosts = createHosts()
})
afterEach(() => hosts.close())

const pingOf = (host: Host): Ping => host.libp2p.services['ping'] as Ping

test.each([
  ['tcp', 'direct-tcp', /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//],
  ['ws', 'direct-ws', /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws\/p2p\//],
  ['quic', 'direct-quic', /^\/ip4\/127\.0\.0\.1\/udp\/\d+\/quic-v1\/p2p\//],
] as const)('a host is dialled over %s and both ends tell that path', async (transport, path, address) => {
  const [a, b] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
  await b.libp2p.dial(addressesOver(a, transport).map((text) => multiaddr(text)))
  expect(b.connections()).toMatchObject([{ peerId: a.peerId, path, direction: 'outbound' }])
  expect(b.connections()[0]!.multiaddr).toMatch(address)
  await until('the other end sees the connection', () => a.isConnected(b.peerId))
  expect(a.connections()).toMatchObject([{ peerId: b.peerId, path, direction: 'inbound' }])
  expect(await pingOf(b).ping(a.libp2p.peerId)).toBeGreaterThanOrEqual(0)
})

test('a host says who it is: ocf and its version', async () => {
  const [a, b] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
  await b.libp2p.dial(multiaddr(a.multiaddrs()[0]))
  await until('identify is done', async () => {
    const peer = await b.libp2p.peerStore.get(a.libp2p.peerId)
    return Buffer.from(peer.metadata.get('AgentVersion') ?? []).toString() === 'ocf/0.0.0-test'
  })
})

test.each(['tcp', 'ws', 'quic'] as const)('200 streams run at once over one %s connection', async (transport) => {
  const [a, b] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
  let open = 0
  const all = Promise.withResolvers<undefined>()
  await a.libp2p.handle(
    '/test/echo',
    async (stream) => {
      open += 1
      if (open === 200) all.resolve(undefined)
      await all.promise
      stream.addEventListener('message', (event) => stream.send(event.data))
      stream.addEventListener('remoteCloseWrite', () => void stream.close())
    },
    { maxInboundStreams: 10_000 },
  )
  const connection = await b.libp2p.dial(addressesOver(a, transport).map((text) => multiaddr(text)))
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const stream = await connection.newStream('/test/echo', { maxOutboundStreams: 10_000 })
      stream.send(Buffer.from(`hello ${index}`))
      const [event] = (await once(stream, 'message')) as [StreamMessageEvent]
      await stream.close()
      return Buffer.from(event.data.subarray()).toString()
    }),
  )
  expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `hello ${index}`))
  expect(b.connections()).toHaveLength(1)
})

test.each(['tcp', 'ws', 'quic'] as const)(
  'a reader that pauses over %s holds the sender, and loses nothing',
  async (transport) => {
    const TOTAL_BYTES = 24 * 1024 * 1024
    const [a, b] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
    let isAllWritten = false
    await a.libp2p.handle('/test/flood', async (source) => {
      const block = Buffer.alloc(64 * 1024, 7)
      for (let sent = 0; sent < TOTAL_BYTES; sent += block.length) source.send(block)
      await source.close({ signal: AbortSignal.timeout(30_000) })
      isAllWritten = true
    })
    const connection = await b.libp2p.dial(addressesOver(a, transport).map((text) => multiaddr(text)))
    const stream = await connection.newStream('/test/flood')
    tuneStream(stream)
    let received = 0
    stream.addEventListener('message', (event) => (received += event.data.byteLength))
    stream.pause()
    let before = -1
    let stillRounds = 0
    // What was on its way arrives before the answer to a ping does, or a few pings later where streams are not in order.
    await until('nothing more comes in', async () => {
      await pingOf(a).ping(b.identity.peerId)
      stillRounds = stream.readBufferLength === before ? stillRounds + 1 : 0
      before = stream.readBufferLength
      return stillRounds === 20
    })
    expect(stream.status).toBe('open')
    expect(received).toBe(0)
    expect(isAllWritten).toBe(false)
    stream.resume()
    await until('all has arrived', () => received === TOTAL_BYTES, 30_000)
    await until('the sender is done', () => isAllWritten)
  },
)

test.each(['tcp', 'ws', 'quic'] as const)(
  'a sender that begins before the other end listens, over %s, does no harm',
  async (transport) => {
    const TOTAL_BYTES = 12 * 1024 * 1024
    const [a, b] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
    let received = 0
    await a.libp2p.handle('/test/late', async (stream) => {
      await until('it has come in', () => stream.readBufferLength === TOTAL_BYTES)
      stream.addEventListener('message', (event) => (received += event.data.byteLength))
    })
    const connection = await b.libp2p.dial(addressesOver(a, transport).map((text) => multiaddr(text)))
    const stream = await connection.newStream('/test/late')
    stream.send(Buffer.alloc(TOTAL_BYTES))
    await until('all has arrived', () => received === TOTAL_BYTES)
  },
)

test.each(['tcp', 'ws', 'quic'] as const)(
  'readers that are slow do not hold up the other streams of a %s connection',
  async (transport) => {
    const [a, b] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
    await a.libp2p.handle('/test/flood', (stream) => {
      stream.addEventListener('message', () => stream.send(Buffer.alloc(12 * 1024 * 1024)), { once: true })
    })
    const connection = await b.libp2p.dial(addressesOver(a, transport).map((text) => multiaddr(text)))
    for (let slow = 0; slow < 10; slow += 1) {
      const stream = await connection.newStream('/test/flood')
      stream.pause()
      stream.send(Buffer.from('go'))
      expect(await pingOf(b).ping(a.libp2p.peerId)).toBeLessThan(5000)
    }
    expect(connection.streams.filter(({ protocol }) => protocol === '/test/flood')).toHaveLength(10)
  },
)

const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

test.each([
  ['tcp', 'dialling'],
  ['tcp', 'accepting'],
  ['ws', 'dialling'],
  ['ws', 'accepting'],
  ['quic', 'dialling'],
  ['quic', 'accepting'],
] as const)('a %s connection that its %s end aborts is over at both, and no socket is left', async (transport, end) => {
  const [a, b] = await Promise.all([hosts.host({ mode: 'standalone' }), hosts.host({ mode: 'standalone' })])
  const socketsBefore = openSockets()
  await b.libp2p.dial(addressesOver(a, transport).map((text) => multiaddr(text)))
  await until('the other end sees the connection', () => a.isConnected(b.peerId))
  const aborting = end === 'dialling' ? b : a
  let told = 0
  aborting.libp2p.addEventListener('connection:close', () => (told += 1))
  aborting.libp2p.getConnections()[0]?.abort(new Error('aborted by a test'))
  await until('both ends are rid of it', () => !a.isConnected(b.peerId) && !b.isConnected(a.peerId))
  await until('its sockets are closed', () => openSockets() <= socketsBefore)
  expect(told).toBe(1)
})

test('stopping does not wait for transfers under way', async () => {
  const a = await hosts.host({ mode: 'standalone' })
  await a.libp2p.handle('/test/flood', (stream) => {
    stream.addEventListener('message', () => stream.send(Buffer.alloc(20 * 1024 * 1024)), { once: true })
  })
  for (const transport of ['tcp', 'ws', 'quic'] as const) {
    const b = await hosts.host({ mode: 'standalone' })
    const connection = await b.libp2p.dial(addressesOver(a, transport).map((text) => multiaddr(text)))
    const stream = await connection.newStream('/test/flood')
    stream.pause()
    stream.send(Buffer.from('go'))
  }
  const before = Date.now()
  await a.stop()
  expect(Date.now() - before).toBeLessThan(4000)
})

test('a port in use is told with its holder and the setting to change', async () => {
  const tcp = createServer().listen(0, '127.0.0.1')
  hosts.defer(() => tcp.close())
  await once(tcp, 'listening')
  const tcpPort = (tcp.address() as { port: number }).port
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  hosts.defer(() => udp.close())
  await once(udp, 'listening')
  const rejected = (options: object) => hosts.host({ mode: 'standalone', ...options }).catch((error: unknown) => error)
  expect(await rejected({ tcpPort })).toMatchObject({
    code: 'port_in_use',
    message: expect.stringContaining('tcpport'),
  })
  expect(await rejected({ wsPort: tcpPort })).toMatchObject({
    code: 'port_in_use',
    message: expect.stringContaining('wsport'),
  })
  const error = await rejected({ udpPort: udp.address().port })
  expect(error).toMatchObject({ code: 'port_in_use', message: expect.stringContaining('udpport') })
})

test('a restart keeps the peer id, and stopping is quick and happens once', async () => {
  const dir = await hosts.folder()
  const first = await hosts.host({ dir })
  const other = await hosts.host({ mode: 'standalone' })
  await other.libp2p.dial(multiaddr(first.multiaddrs()[0]))
  const before = Date.now()
  await Promise.all([first.stop(), first.stop()])
  expect(Date.now() - before).toBeLessThan(4000)
  const second = await hosts.host({ dir })
  expect(second.peerId).toBe(first.peerId)
})

test('a host that is stopped can be started again, and used only while it is started', async () => {
  const host = await hosts.host({ mode: 'standalone' })
  await host.stop()
  await host.stop()
  expect(() => host.multiaddrs()).toThrow(expect.objectContaining({ code: 'node_not_running' }))
  await host.start(new AbortController().signal)
  const other = await hosts.host({ mode: 'standalone' })
  await other.libp2p.dial(host.multiaddrs().map((address) => multiaddr(address)))
  expect(other.isConnected(host.peerId)).toBe(true)
})

test('a start that is aborted leaves nothing listening', async () => {
  const host = await hosts.host({ mode: 'standalone' })
  await host.stop()
  await expect(host.start(AbortSignal.abort(new Error('no more')))).rejects.toThrow('no more')
  expect(() => host.multiaddrs()).toThrow()
})

test('a public address is announced with the ports that are listened on', async () => {
  const host = await hosts.host({ mode: 'standalone', publicAddr: '203.0.113.7' })
  const ports = (transport: 'tcp' | 'ws' | 'quic') =>
    new Set(addressesOver(host, transport).map((address) => address.split('/')[4]))
  const announced = host.multiaddrs().filter((address) => address.startsWith('/ip4/203.0.113.7/'))
  expect(announced).toHaveLength(3)
  for (const transport of ['tcp', 'ws', 'quic'] as const) expect(ports(transport).size).toBe(1)
})

test('a public address that is none is refused before anything listens', async () => {
  await expect(hosts.host({ publicAddr: 'not an address' })).rejects.toMatchObject({ code: 'invalid_settings' })
})

test('an IPv6 address this machine does not have is left out', async () => {
  const host = await hosts.host({ mode: 'standalone', listenHosts: ['127.0.0.1', '2001:db8::77'] })
  expect(host.multiaddrs().every((address) => address.startsWith('/ip4/127.0.0.1/'))).toBe(true)
})

/** A host on three ports that were free a moment ago; where another program was quicker, on three others. */
async function hostOnFixedPorts(listenHosts: string[], tries = 5): Promise<{ host: Host; udpPort: number }> {
  const probe = await hosts.host({ mode: 'standalone', listenHosts: ['0.0.0.0'] })
  const port = (transport: 'tcp' | 'ws' | 'quic') => Number(addressesOver(probe, transport)[0]!.split('/')[4])
  const ports = { tcpPort: port('tcp'), wsPort: port('ws'), udpPort: port('quic') }
  await probe.stop()
  try {
    return { host: await hosts.host({ mode: 'standalone', listenHosts, ...ports }), udpPort: ports.udpPort }
  } catch (error) {
    if (tries === 1 || (error as { code?: unknown }).code !== 'port_in_use') throw error
    return await hostOnFixedPorts(listenHosts, tries - 1)
  }
}

test('all addresses of IPv4 and IPv6 share one fixed port', async () => {
  const { host, udpPort } = await hostOnFixedPorts(['0.0.0.0', '::'])
  const ports = new Set(addressesOver(host, 'quic').map((address) => address.split('/')[4]))
  expect(ports).toEqual(new Set([String(udpPort)]))
})

test('a node has two DHTs of our own, and a standalone host serves both to those who come', async () => {
  const alone = await hosts.host({ mode: 'standalone' })
  const node = await hosts.host({ mode: 'node' })
  const dhtsOf = (host: Host): string[] => host.libp2p.getProtocols().filter((name) => name.includes('kad'))
  expect(dhtsOf(alone)).toEqual(['/ocf/kad/1.0.0', '/ocf/lan/kad/1.0.0'])
  expect(dhtsOf(node)).toEqual(['/ocf/lan/kad/1.0.0'])
  expect(Object.keys(node.libp2p.services)).toContain('wanDht')
})

test('hosts that have stopped leave nothing behind that keeps the process alive', async () => {
  const child = runFixture('host-once.ts', [])
  hosts.defer(() => child.process.kill('SIGKILL'))
  expect(await child.line()).toBe('stopped')
  const before = Date.now()
  expect(await child.exit).toBe(0)
  expect(Date.now() - before).toBeLessThan(10_000)
})
