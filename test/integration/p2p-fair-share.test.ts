import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect as connectSocket, type Socket } from 'node:net'
import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, test } from 'vitest'
import { createConnector } from '../../src-main/p2p/dial/connect.js'
import { INBOUND_GATE } from '../../src-main/p2p/hardening/connection-limits/inbound-gate.js'
import { createPeerListener, type PeerListenerLimits } from '../../src-main/p2p/http/peer-listener.js'
import { HTTP_PROTOCOL } from '../../src-main/p2p/http/stream-duplex.js'
import type { Host } from '../../src-main/p2p/index.js'
import { addressesOver, createHosts, silentLog } from '../fixtures/hosts.js'
import { requestOver, startLightHost } from '../fixtures/light-host.js'
import { until } from '../fixtures/until.js'

/** All of 127.0.0.0/8 is this machine on Linux only: how one machine is many addresses. */
const onLinux = test.skipIf(process.platform !== 'linux')
const CROWDED = '127.0.0.66'

const hosts = createHosts()
afterEach(() => hosts.close())

async function peer(options: { localAddress?: string } = {}): Promise<Libp2p> {
  const host = await startLightHost(options)
  hosts.defer(() => host.stop())
  return host
}

const peers = (count: number, localAddress?: string): Promise<Libp2p[]> =>
  Promise.all(Array.from({ length: count }, () => peer(localAddress === undefined ? {} : { localAddress })))

const dial = (from: Libp2p, to: Host): Promise<Connection> => from.dial(multiaddr(addressesOver(to, 'tcp')[0]))

const isConnectedTo = (node: Host, { peerId }: Libp2p): boolean => node.isConnected(peerId.toString())

async function rawSockets(node: Host, transport: 'tcp' | 'ws', count: number, localAddress: string): Promise<Socket[]> {
  const port = Number(addressesOver(node, transport)[0]?.split('/')[4])
  const sockets = Array.from({ length: count }, () => connectSocket({ port, host: '127.0.0.1', localAddress }))
  hosts.defer(() => sockets.forEach((socket) => socket.destroy()))
  for (const socket of sockets) socket.on('error', () => undefined)
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

onLinux('a full node takes a newcomer in, and closes one of the address that has most connections', async () => {
  const node = await hosts.host({ mode: 'standalone', connections: { max: 12, maxPerPeer: 8 } })
  const crowd = await peers(12, CROWDED)
  for (const one of crowd) await dial(one, node)
  const newcomers = await peers(4)
  for (const one of newcomers) await dial(one, node)

  await until(() => newcomers.every((one) => isConnectedTo(node, one)) && node.connections().length === 12, {
    what: 'the newcomers are in, and the node is within its number again',
  })
  expect(crowd.filter((one) => isConnectedTo(node, one))).toEqual(crowd.slice(0, 8))
})

onLinux('an address that has most connections of a full node gets no more of them', async () => {
  const node = await hosts.host({ mode: 'standalone', connections: { max: 6, maxPerPeer: 8 } })
  const [bystander] = await peers(1)
  const crowd = await peers(6, CROWDED)
  if (bystander === undefined) throw new Error('no bystander')
  await dial(bystander, node)
  for (const one of crowd.slice(0, 5)) await dial(one, node)

  await expect(dial(crowd[5] as Libp2p, node)).rejects.toThrow()
  expect(isConnectedTo(node, bystander)).toBe(true)
  expect(node.connections()).toHaveLength(6)
})

onLinux('peers in use and connections the node opened itself survive when room is made', async () => {
  const node = await hosts.host({ mode: 'standalone', connections: { max: 8, maxPerPeer: 8 } })
  const crowd = await peers(7, CROWDED)
  for (const one of crowd) await dial(one, node)
  const provider = await hosts.host({ mode: 'standalone' })
  await node.libp2p.dial(multiaddr(addressesOver(provider, 'tcp')[0]))
  // The newest of the crowded address, which would be the first to go.
  const used = crowd.at(-1) as Libp2p
  await createConnector({ libp2p: () => node.libp2p }).connect(used.peerId.toString(), AbortSignal.timeout(20_000))

  const newcomers = await peers(3)
  for (const newcomer of newcomers) await dial(newcomer, node)

  await until(() => newcomers.every((one) => isConnectedTo(node, one)) && node.connections().length === 8, {
    what: 'the newcomers are in, and the node is within its number again',
  })
  expect(isConnectedTo(node, used)).toBe(true)
  expect(node.isConnected(provider.peerId)).toBe(true)
})

test('a peer that connects again and again has eight connections, and the newest works', async () => {
  const node = await hosts.host({ mode: 'standalone' })
  await serve(node)
  const one = await peer()
  const opened: Connection[] = []
  for (let index = 0; index < 20; index += 1) {
    opened.push(await one.dial(multiaddr(addressesOver(node, 'tcp')[0]), { force: true }))
  }

  await until(() => node.connections().length === 8, { what: 'eight connections are left' })
  expect((await requestOver(opened.at(-1) as Connection, '/')).status).toBe(200)
})

for (const transport of ['tcp', 'ws'] as const) {
  onLinux(`sockets over ${transport} that never speak keep nobody out, and are closed in the end`, async () => {
    const node = await hosts.host({
      mode: 'standalone',
      gate: { ...INBOUND_GATE, maxPending: 20, silenceMs: 1_000 },
    })
    const silent = await rawSockets(node, transport, 200, CROWDED)

    for (const one of await peers(3)) {
      await one.dial(multiaddr(addressesOver(node, 'tcp')[0]), { signal: AbortSignal.timeout(20_000) })
    }
    await until(() => silent.filter(({ closed }) => !closed).length <= 20, { what: 'only those that fit are open' })
    if (transport === 'tcp') return // The library gives an upgrade ten seconds.
    await until(() => silent.every(({ closed }) => closed), { what: 'the silent ones are closed' })
  })
}

onLinux('an address that shakes hands all the time is told to stop, and others are not', async () => {
  const node = await hosts.host({
    mode: 'standalone',
    gate: { ...INBOUND_GATE, handshakes: { capacity: 5, refillPerS: 0.001 } },
  })
  const [busy, other] = [await peer({ localAddress: CROWDED }), await peer()]
  for (let index = 0; index < 5; index += 1) await (await dial(busy, node)).close()

  await expect(dial(busy, node)).rejects.toThrow()
  expect((await dial(other, node)).status).toBe('open')
})

/** A listener that answers `GET /`, holds `GET /held`, and sends a mebibyte for `GET /large`. */
async function serve(node: Host, limits?: PeerListenerLimits): Promise<{ held: ServerResponse[] }> {
  const held: ServerResponse[] = []
  const listener = createPeerListener(
    {
      host: node,
      log: silentLog,
      handler: (request, response) => {
        if (request.url === '/held') held.push(response)
        else response.end(request.url === '/large' ? Buffer.alloc(1024 * 1024) : 'here')
      },
    },
    limits,
  )
  await listener.start(new AbortController().signal)
  hosts.defer(() => listener.stop())
  return { held }
}

const openHttp = (connection: Connection): ReturnType<Connection['newStream']> =>
  connection.newStream(HTTP_PROTOCOL, { maxOutboundStreams: 10_000 })

test('streams without a request give way to other peers, those with one do not', async () => {
  const node = await hosts.host({ mode: 'standalone' })
  const { held } = await serve(node, { maxStreams: 30, maxBufferedBytes: 1e9 })
  const [greedy, modest] = [await peer(), await peer()]
  const connection = await dial(greedy, node)
  const working = requestOver(connection, '/held')
  await until(() => held.length === 1, { what: 'a request is at work' })
  const streams = await Promise.all(Array.from({ length: 40 }, () => openHttp(connection)))
  await until(() => streams.filter(({ status }) => status === 'open').length === 29, { what: 'the listener is full' })

  const answers = await Promise.all(
    Array.from({ length: 5 }, async () => await requestOver(await dial(modest, node), '/')),
  )

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  held[0]?.end('done')
  expect(await working).toEqual({ status: 200, body: 'done' })
})

test('a request whose headers a peer sends drop by drop is cut when their time is over', async () => {
  const node = await hosts.host({ mode: 'standalone' })
  await serve(node, { maxStreams: 30, maxBufferedBytes: 1e9, headersMs: 500 })
  const [slow, other] = [await peer(), await peer()]
  const stream = await openHttp(await dial(slow, node))
  stream.send(Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n'))
  const dripping = setInterval(() => {
    if (stream.status === 'open') stream.send(Buffer.from('x-more: 1\r\n'))
  }, 20)
  hosts.defer(() => clearInterval(dripping))

  await until(() => stream.status !== 'open', { what: 'the stream is cut', limitMs: 5_000 })
  expect((await requestOver(await dial(other, node), '/')).status).toBe(200)
})

for (const deafness of ['its streams', 'its socket'] as const) {
  test(`answers to a peer that does not read ${deafness} are bounded, and those of other peers go on`, async () => {
    const node = await hosts.host({ mode: 'standalone' })
    await serve(node, { maxStreams: 1000, maxBufferedBytes: 8 * 1024 * 1024 })
    const [deaf, reader] = [await peer(), await peer()]
    const connection = await dial(deaf, node)
    const streams = await Promise.all(Array.from({ length: 40 }, () => openHttp(connection)))
    const [seen] = node.connectionsTo(deaf.peerId.toString())
    const open = (): number => seen?.streams.filter(({ protocol }) => protocol === HTTP_PROTOCOL).length ?? 0
    await until(() => open() === 40, { what: 'all streams are open' })
    if (deafness === 'its socket') (connection as unknown as { maConn: { socket: Socket } }).maConn.socket.pause()
    for (const stream of streams) {
      stream.pause()
      stream.send(Buffer.from('GET /large HTTP/1.1\r\nhost: x\r\n\r\n'))
    }

    // Of 40 MiB, 8 may wait here, and up to 6 in the kernel's buffers.
    await until(() => open() <= 20, { what: 'most are cut' })
    expect((await requestOver(await dial(reader, node), '/large')).body).toHaveLength(1024 * 1024)
  })
}
