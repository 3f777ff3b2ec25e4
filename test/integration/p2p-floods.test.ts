import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import type { Connection, Libp2p } from '@libp2p/interface'
import { PING_PROTOCOL } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { QUESTIONS } from '../../src-main/p2p/http/questions.js'
import { startTestServer, type TestServer } from '../fixtures/http-server.js'
import { requestOver, startLightHost } from '../fixtures/light-host.js'
import { inLongRun } from '../fixtures/long-run.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

/** All of 127.0.0.0/8 is this machine on Linux only: how one machine is many addresses. */
const IS_LINUX = process.platform === 'linux'
const FLOODER = IS_LINUX ? '127.0.0.66' : '127.0.0.1'
/** QUIC comes from 127.0.0.1: whoever is honest must not share that address. */
const HONEST = IS_LINUX ? { localAddress: '127.0.0.7' } : {}
/** What floods may come over. */
const TRANSPORTS = ['tcp', 'quic'] as const
type Transport = (typeof TRANSPORTS)[number]
/** Every transport in the long run, this one in a check. */
const inCheck = (transport: Transport) => inLongRun<readonly Transport[]>(TRANSPORTS, [transport])
const SHARED = '/v1/_service/llm/v1/echo'
/** What a flood may cost for good or for a moment: garbage of the flood itself, and heap that has grown. */
const BOUND_MIB = 250
let server: TestServer
let node: NodeProcess
let honest: Connection
let honestHost: Libp2p

beforeAll(async () => {
  server = await startTestServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'tiny', object: 'model' }] }))
  })
  node = await startNodeProcess({
    flags: [
      ...['--mode', 'standalone', '--demo-model', 'off', '--service.name', 'llm'],
      ...['--service.port', String(server.port), '--service.shared-path', 'POST /v1/echo'],
      ...['--limits.concurrent', '1000', '--limits.queue', '1000'],
    ],
  })
  honestHost = await startLightHost(HONEST)
  await connectHonest()
  await until(async () => (await ask()).status === 200, { what: 'the service is shared' })
})
/** Its host shares this process with the flooders, and may have been too slow for the node in the test before. */
beforeEach(async () => {
  if (!isOpen(honest)) await connectHonest()
})
afterAll(async () => {
  await honestHost.stop()
  await node.stop()
  await server.close()
})

async function connectHonest(): Promise<void> {
  honest = await honestHost.dial(multiaddr(address('tcp')))
}

const passing: (() => unknown)[] = []
afterEach(async () => {
  for (const end of passing.splice(0)) await end()
})

const ask = (connection = honest) => requestOver(connection, SHARED, { method: 'POST', body: '{}' })

const ENDINGS = { tcp: /\/tcp\/\d+\/p2p\//, ws: /\/ws\/p2p\//, quic: /\/quic-v1\/p2p\// }

function address(transport: keyof typeof ENDINGS): string {
  const ending = ENDINGS[transport]
  return node.multiaddrs.find((text) => ending.test(text)) ?? ''
}

async function flooder(transport: 'tcp' | 'quic' = 'tcp'): Promise<{ host: Libp2p; connection: Connection }> {
  const host = await startLightHost({ localAddress: FLOODER, transport })
  passing.push(() => host.stop())
  return { host, connection: await host.dial(multiaddr(address(transport))) }
}

function rawSocket(transport: 'tcp' | 'ws'): Socket {
  const socket = connectSocket({
    port: Number(address(transport).split('/')[4]),
    host: '127.0.0.1',
    localAddress: FLOODER,
  })
  socket.on('error', () => undefined)
  passing.push(() => socket.destroy())
  return socket
}

/** Somebody else is served while the flood runs and right after it, and it costs no more memory than it may. */
async function survives(flood: () => Promise<unknown>): Promise<void> {
  const before = node.rssMiB()
  let mostMiB = before
  const over = new AbortController()
  const serving = (async () => {
    while (!over.signal.aborted) {
      expect((await ask()).status).toBe(200)
      mostMiB = Math.max(mostMiB, node.rssMiB())
    }
  })()
  await Promise.all([flood().finally(() => over.abort()), serving])
  const newcomer = await startLightHost(HONEST)
  passing.push(() => newcomer.stop())
  expect((await ask(await newcomer.dial(multiaddr(address('tcp'))))).status).toBe(200)
  mostMiB = Math.max(mostMiB, node.rssMiB())
  expect(mostMiB - before).toBeLessThan(BOUND_MIB)
}

/** The multiplexer under a connection, to send what no library would. */
interface Wire {
  sendFrame: (header: object) => void
  send: (bytes: Uint8Array) => boolean
  handlePing: () => void
}
const wireOf = (connection: Connection): Wire => (connection as unknown as { muxer: Wire }).muxer

/** Sends until the other end cuts the connection or `bytes` are out; nothing more than a few mebibytes wait here. */
async function pump(connection: Connection, chunk: Uint8Array, bytes: number): Promise<number> {
  const raw = (connection as unknown as { maConn: EventTarget }).maConn
  let sent = 0
  while (sent < bytes && isOpen(connection)) {
    const goesOn = wireOf(connection).send(chunk)
    sent += chunk.byteLength
    if (!goesOn) await Promise.race([once(raw, 'drain'), once(raw, 'close')])
  }
  return sent
}

const connectedOrClosed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => void socket.once('connect', resolve).once('close', () => resolve()))

const isOpen = (connection: Connection): boolean => connection.status === 'open'

test.each(TRANSPORTS)(
  'a hundred and fifty peers behind one address come over %s, and are all served',
  async (transport) => {
    const crowd = await Promise.all(Array.from({ length: 150 }, () => startLightHost({ transport })))
    for (const host of crowd) passing.push(() => host.stop())

    const connections = await Promise.all(crowd.map((host) => host.dial(multiaddr(address(transport)))))
    const answers = await Promise.all(connections.flatMap((connection) => [ask(connection), ask(connection)]))

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(300)
    expect(connections.filter(isOpen)).toHaveLength(150)
  },
)

test('thousands of connections that never speak', async () => {
  await survives(async () => {
    for (let round = 0; round < 3; round += 1) {
      const sockets = Array.from({ length: 800 }, (_, index) => rawSocket(index % 2 === 0 ? 'tcp' : 'ws'))
      await Promise.all(sockets.map(connectedOrClosed))
    }
  })
})

test('mebibytes of garbage on fresh connections', async () => {
  await survives(async () => {
    const garbage = randomBytes(8 * 1024 * 1024)
    const sockets = Array.from({ length: 20 }, (_, index) => rawSocket(index % 2 === 0 ? 'tcp' : 'ws'))
    for (const socket of sockets) socket.write(garbage)
    await until(() => sockets.every(({ closed }) => closed), { what: 'all are cut' })
  })
})

test('tens of thousands of datagrams of garbage at the port of QUIC', async () => {
  const port = Number(/\/udp\/(\d+)\//.exec(address('quic'))?.[1])
  const socket = createSocket('udp4')
  passing.push(() => new Promise<void>((resolve) => void socket.close(resolve)))
  await survives(async () => {
    for (let round = 0; round < inLongRun(1000, 300); round += 1) {
      const sent = Array.from({ length: 100 }, (_, index) => {
        const datagram = randomBytes(index % 2 === 0 ? 1200 : 60)
        // Every other one claims to open a connection: a long header, version 1.
        if (index % 4 === 0) datagram.set([0xc0, 0, 0, 0, 1])
        return new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve))
      })
      await Promise.all(sent)
    }
  })
})

test('many connections over QUIC that come and go', async () => {
  await survives(async () => {
    for (let round = 0; round < inLongRun(10, 4); round += 1) {
      const crowd = await Promise.all(Array.from({ length: 30 }, () => startLightHost({ transport: 'quic' })))
      await Promise.allSettled(crowd.map((host) => host.dial(multiaddr(address('quic')))))
      for (const host of crowd) await host.stop()
    }
  })
})

test('twenty thousand streams on one connection, without a word in them', async () => {
  const { connection } = await flooder()
  await survives(async () => {
    for (let id = 1_000_001; id < 1_040_001 && isOpen(connection); id += 2) {
      wireOf(connection).sendFrame({ type: 1, flag: 1, streamID: id, length: 0 })
      if (id % 1000 === 1) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => !isOpen(connection), { what: 'the connection is cut' })
  })
})

test.each(inCheck('quic'))('a thousand streams over %s for requests that never come', async (transport) => {
  const { connection } = await flooder(transport)
  await survives(async () => {
    const open = () => connection.newStream('/libp2p-http', { maxOutboundStreams: 10_000 })
    for (let round = 0; round < 10; round += 1) await Promise.all(Array.from({ length: 100 }, open))
  })
})

test.each(inCheck('tcp'))(
  'one peer over %s asks for the table all the time: it is told to wait, at once',
  async (transport) => {
    const { connection } = await flooder(transport)
    await survives(async () => {
      const statuses: number[] = []
      const startedAt = performance.now()
      for (let round = 0; round < 20; round += 1) {
        const asking = Array.from({ length: 50 }, () => requestOver(connection, '/v1/dnt/table'))
        for (const { status } of await Promise.all(asking)) statuses.push(status)
      }
      const passedS = (performance.now() - startedAt) / 1000
      const { capacity, refillPerS } = QUESTIONS
      expect(statuses.slice(0, capacity)).not.toContain(429)
      expect(statuses.filter((status) => status !== 429).length).toBeLessThanOrEqual(
        capacity + refillPerS * (passedS + 1),
      )
    })
  },
)

test.each(inCheck('tcp'))('streams over %s of protocols there are not, in a loop', async (transport) => {
  const { connection } = await flooder(transport)
  await survives(async () => {
    for (let round = 0; round < 20; round += 1) {
      const tries = Array.from({ length: 50 }, () => connection.newStream('/no/such/protocol'))
      for (const outcome of await Promise.allSettled(tries)) expect(outcome.status).toBe('rejected')
    }
  })
})

test('a frame that announces four gigabytes, and then sends them', async () => {
  const { connection } = await flooder()
  await survives(async () => {
    const stream = await connection.newStream('/libp2p-http')
    const header = Buffer.alloc(12)
    header.writeUInt32BE(Number(stream.id), 4)
    header.writeUInt32BE(0xff_ff_ff_ff, 8)
    wireOf(connection).send(header)
    const sent = await pump(connection, Buffer.alloc(64 * 1024), 200 * 1024 * 1024)
    expect(sent).toBeLessThan(200 * 1024 * 1024)
  })
})

test('pings of the multiplexer, without end', async () => {
  const { connection } = await flooder()
  await survives(async () => {
    wireOf(connection).handlePing = () => undefined // this side would end the connection at answers it did not ask for
    const ping = Buffer.alloc(12 * 1000)
    for (let offset = 0; offset < ping.length; offset += 12) ping.set([0, 2, 0, 1], offset)
    expect(await pump(connection, ping, 100 * 1024 * 1024)).toBeLessThan(100 * 1024 * 1024)
  })
})

test('pings whose answers nobody reads', async () => {
  const { connection } = await flooder()
  await survives(async () => {
    const stream = await connection.newStream(PING_PROTOCOL)
    stream.pause()
    const block = Buffer.alloc(32 * 1024)
    for (let sent = 0; sent < 200 * 1024 * 1024 && stream.status === 'open'; sent += block.length) {
      if (stream.send(block)) continue
      await Promise.race([once(stream as EventTarget, 'idle'), once(stream as EventTarget, 'close')])
    }
    expect(stream.status).not.toBe('open')
  })
})

test.each(inCheck('quic'))(
  'a hundred thousand requests over %s for the table whose answers nobody reads',
  async (transport) => {
    const { connection } = await flooder(transport)
    await survives(async () => {
      const streams = await Promise.all(
        Array.from({ length: 500 }, () => connection.newStream('/libp2p-http', { maxOutboundStreams: 10_000 })),
      )
      for (const stream of streams) {
        stream.pause()
        stream.send(Buffer.from('GET /v1/dnt/table?all=1 HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200)))
      }
    })
  },
)
