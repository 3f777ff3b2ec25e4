import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask } from '../../src-main/http-client/ask.js'
import { createConnector } from '../../src-main/p2p/dial/connect.js'
import { createPeerClients } from '../../src-main/p2p/http/peer-clients.js'
import { createPeerListener } from '../../src-main/p2p/http/peer-listener.js'
import { HTTP_PROTOCOL } from '../../src-main/p2p/http/stream-duplex.js'
import type { Host, RelayOptions } from '../../src-main/p2p/index.js'
import { RELAY_DEFAULTS } from '../../src-main/p2p/reach/relay/relay-server.js'
import { addressesOver, createHosts, silentLog, until, type HostFactory } from '../fixtures/hosts.js'

let hosts: HostFactory
beforeEach(() => {
  hosts = createHosts()
})
afterEach(() => hosts.close())

const MIB = 1024 * 1024

/** A relay, and B with a place at it. */
async function relayed(options: Partial<RelayOptions> = {}): Promise<{ relay: Host; b: Host; circuit: string }> {
  const relay = await hosts.host({ relay: { ...RELAY_DEFAULTS, mode: 'on', ...options } })
  const b = await hosts.host()
  await b.libp2p.dial(multiaddr(addressesOver(relay, 'tcp')[0]))
  await until('B has a place', () => circuitOf(b) !== undefined)
  return { relay, b, circuit: circuitOf(b)! }
}

const circuitOf = (host: Host): string | undefined =>
  host.multiaddrs().find((address) => address.includes('/p2p-circuit'))

/** Sends that many bytes from B over whatever connection there is. */
async function serveBytes(host: Host): Promise<void> {
  await host.libp2p.handle(
    '/test/bytes',
    (stream) => {
      stream.addEventListener('message', (event) => {
        const bytes = Number(Buffer.from(event.data.subarray()).toString())
        stream.send(Buffer.alloc(bytes, 7))
        stream.close().catch(() => undefined)
      })
    },
    { runOnLimitedConnection: true },
  )
}

async function receive(from: Host, to: Host, bytes: number): Promise<number> {
  const connection = await createConnector({ libp2p: () => from.libp2p }).connect(
    to.peerId,
    AbortSignal.timeout(20_000),
  )
  const stream = await connection.newStream('/test/bytes', { runOnLimitedConnection: true })
  let received = 0
  const ended = new Promise<void>((resolve) => {
    stream.addEventListener('message', (event) => {
      received += event.data.byteLength
      if (received === bytes) resolve()
    })
    stream.addEventListener('close', () => resolve())
  })
  stream.send(Buffer.from(String(bytes)))
  await ended
  return received
}

test('10 MB pass through a relay, and both ends tell the path and the relay', async () => {
  const { relay, b, circuit } = await relayed()
  await serveBytes(b)
  const a = await hosts.host()
  await a.libp2p.dial(multiaddr(circuit))
  expect(a.connections().find(({ peerId }) => peerId === b.peerId)).toMatchObject({
    path: 'relayed',
    relayPeerId: relay.peerId,
    direction: 'outbound',
  })
  await until('B sees it', () =>
    b.connections().some(({ peerId, relayPeerId }) => peerId === a.peerId && relayPeerId === relay.peerId),
  )
  expect(await receive(a, b, 10 * MIB)).toBe(10 * MIB)
})

test('a circuit over its data limit, or over the quota of its peer, is cut', async () => {
  for (const limit of [{ circuitBytes: MIB }, { peerBytes: MIB }]) {
    const { b, circuit } = await relayed(limit)
    await serveBytes(b)
    const a = await hosts.host()
    await a.libp2p.dial(multiaddr(circuit))
    expect(await receive(a, b, 4 * MIB)).toBeLessThan(2 * MIB)
  }
})

test('a peer that nobody told an address of is reached over a relay this node is connected to', async () => {
  const { relay, b } = await relayed()
  await serveBytes(b)
  const a = await hosts.host()
  await a.libp2p.dial(multiaddr(addressesOver(relay, 'tcp')[0]))
  await until('A knows that it relays', async () => {
    const { protocols } = await a.libp2p.peerStore.get(relay.libp2p.peerId)
    return protocols.some((protocol) => protocol.endsWith('/hop'))
  })
  await a.libp2p.peerStore.delete(b.libp2p.peerId)
  expect(await receive(a, b, 1000)).toBe(1000)
})

test('a relayed peer is reached directly as soon as that works, and the relayed stream runs to its end', async () => {
  const { b, circuit } = await relayed()
  const a = await hosts.host()
  const relayedConnection = await a.libp2p.dial(multiaddr(circuit))
  await b.libp2p.handle(
    '/test/echo',
    (stream) => {
      stream.addEventListener('message', (event) => stream.send(event.data))
      stream.addEventListener('remoteCloseWrite', () => void stream.close())
    },
    { runOnLimitedConnection: true },
  )
  const stream = await relayedConnection.newStream('/test/echo', { runOnLimitedConnection: true })
  await until(
    'it is direct',
    () => a.connections().some(({ peerId, path }) => peerId === b.peerId && path.startsWith('direct')),
    30_000,
  )
  let echoed = ''
  stream.addEventListener('message', (event) => (echoed += Buffer.from(event.data.subarray()).toString()))
  stream.send(Buffer.from('still here'))
  await until('the relayed stream still works', () => echoed === 'still here')
  await stream.close()
  await until('the relay is let go', () => relayedConnection.status === 'closed', 30_000)
  expect(a.isConnected(b.peerId)).toBe(true)
})

test('requests that keep coming move to the direct connection too, and the relay is let go', async () => {
  const { b, circuit } = await relayed()
  const a = await hosts.host()
  const listener = createPeerListener({
    host: b,
    handler: (_request, response) => response.end('hello'),
    log: silentLog,
  })
  const clients = createPeerClients({ host: a, log: silentLog }, { connectTimeoutMs: () => 5_000 })
  await listener.start(new AbortController().signal)
  const get = async (): Promise<string> => {
    const signal = AbortSignal.timeout(5_000)
    return (await ask(clients.to(b.peerId), { host: b.peerId, path: '/v1/_service/llm/hello', maxBytes: 100, signal }))
      .text
  }
  try {
    const relayedConnection = await a.libp2p.dial(multiaddr(circuit))
    expect(await get()).toBe('hello')
    expect(relayedConnection.streams.some(({ protocol }) => protocol === HTTP_PROTOCOL)).toBe(true)
    await until(
      'the relay is let go, though a request comes at every look',
      async () => {
        expect(await get()).toBe('hello')
        return relayedConnection.status === 'closed'
      },
      20_000,
    )
    expect(a.connections().find(({ peerId }) => peerId === b.peerId)?.path).toMatch(/^direct/)
  } finally {
    await clients.stop()
    await listener.stop()
  }
})

test('in a private network only those with the key meet, without QUIC', async () => {
  const file = join(await hosts.folder(), 'swarm.key')
  await writeFile(file, `/key/swarm/psk/1.0.0/\n/base16/\n${'1f'.repeat(32)}\n`)
  const a = await hosts.host({ swarmKeyFile: file })
  const b = await hosts.host({ swarmKeyFile: file })
  const stranger = await hosts.host()
  expect(addressesOver(a, 'quic')).toEqual([])
  for (const transport of ['tcp', 'ws'] as const) {
    const addresses = addressesOver(a, transport).map((address) => multiaddr(address))
    await b.libp2p.dial(addresses, { force: true })
    await expect(stranger.libp2p.dial(addresses, { signal: AbortSignal.timeout(3000) })).rejects.toThrow()
  }
  expect(
    b
      .connections()
      .map(({ path }) => path)
      .sort(),
  ).toEqual(['direct-tcp', 'direct-ws'])
})

test('the round trip of a new connection is known at once, and not only at the next look at all of them', async () => {
  const [a, b] = await Promise.all([hosts.host(), hosts.host()])
  await a.libp2p.dial(multiaddr(addressesOver(b, 'quic')[0]))
  await until('both ends know it', () => [a, b].every((host) => (host.connections()[0]?.rttMs ?? 0) > 0))
})
