import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { tuneGarbageCollection } from '../../../src-main/base/memory/garbage-collection.js'
import { RELAY_DEFAULTS } from '../../../src-main/p2p/reach/relay/relay-server.js'
import { addressesOver, createHosts, until } from '../../fixtures/hosts.js'

// A host of the bench in a process of its own: a relay, a server (with a place at the relay, where one is named), or the client that measures.
// As a node runs.
tuneGarbageCollection(() => 0)
const [role, relayAddress = ''] = process.argv.slice(2)
const hosts = createHosts()
const host = await hosts.host(role === 'relay' ? { relay: { ...RELAY_DEFAULTS, mode: 'on' } } : {})
const BLOCK = Buffer.alloc(64 * 1024, 7)
const options = { runOnLimitedConnection: true, maxInboundStreams: 100 }

if (role === 'server') {
  await host.libp2p.handle(
    '/bench/echo',
    (stream) => stream.addEventListener('message', ({ data }) => stream.send(data)),
    options,
  )
  await host.libp2p.handle(
    '/bench/bytes',
    (stream) => {
      stream.addEventListener('message', ({ data }) => {
        let left = Number(Buffer.from(data.subarray()).toString())
        const write = (): void => {
          while (left > 0) {
            left -= BLOCK.length
            if (!stream.send(BLOCK) || stream.writeBufferLength > 0) return
          }
          stream.close().catch(() => undefined)
        }
        // A send() out of an idle handler is stranded (see stream-duplex.ts).
        stream.addEventListener('idle', () => queueMicrotask(write))
        write()
      })
    },
    options,
  )
  if (relayAddress !== '') {
    await host.libp2p.dial(multiaddr(relayAddress))
    await until('there is a place at the relay', () => circuit() !== undefined)
  }
}

function circuit(): string | undefined {
  return host.multiaddrs().find((address) => address.includes('/p2p-circuit'))
}

const addresses = {
  tcp: addressesOver(host, 'tcp').find((address) => !address.includes('p2p-circuit')),
  ws: addressesOver(host, 'ws')[0],
  quic: addressesOver(host, 'quic')[0],
  relayed: circuit(),
}

export interface NetworkSample {
  setUpMs: number
  rttMs: number[]
  mebibytesPerSecond: number
}

async function measure(address: string, bytes: number): Promise<NetworkSample> {
  const before = performance.now()
  const connection = await host.libp2p.dial(multiaddr(address), { force: true })
  const setUpMs = performance.now() - before
  const rttMs = await roundTrips(connection, 100)
  const mebibytesPerSecond = await throughput(connection, bytes)
  await connection.close()
  return { setUpMs, rttMs, mebibytesPerSecond }
}

async function roundTrips(connection: Connection, count: number): Promise<number[]> {
  const stream = await connection.newStream('/bench/echo', { runOnLimitedConnection: true })
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const sentAt = performance.now()
    await new Promise((resolve) => {
      stream.addEventListener('message', resolve, { once: true })
      stream.send(Buffer.from('0123456789abcdef'))
    })
    times.push(performance.now() - sentAt)
  }
  await stream.close()
  return times
}

async function throughput(connection: Connection, bytes: number): Promise<number> {
  const stream = await connection.newStream('/bench/bytes', { runOnLimitedConnection: true })
  const startedAt = performance.now()
  let received = 0
  await new Promise<void>((resolve, reject) => {
    stream.addEventListener('message', ({ data }) => {
      received += data.byteLength
      if (received >= bytes) resolve()
    })
    stream.addEventListener('close', () => reject(new Error(`the stream closed after ${received} bytes`)))
    stream.send(Buffer.from(String(bytes)))
  })
  return bytes / 1024 / 1024 / ((performance.now() - startedAt) / 1000)
}

process.on('message', (message: { address: string; bytes: number }) => {
  measure(message.address, message.bytes).then(
    (sample) => process.send?.(sample),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('SIGTERM', () => void hosts.close().then(() => process.exit(0)))
process.send?.(addresses)
