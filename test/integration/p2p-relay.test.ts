import { afterEach, beforeEach, expect, test } from 'vitest'
import { multiaddr } from '@multiformats/multiaddr'
import { createConnector } from '../../src-main/p2p/connect.js'
import { RELAY_DEFAULTS } from '../../src-main/p2p/limits.js'
import type { Host, RelayOptions } from '../../src-main/p2p/index.js'
import { addressesOver, createHosts, until, type HostFactory } from '../fixtures/hosts.js'

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
  await until('B has a place', () => circuitOf(b) !== undefined, 5000)
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
  const connection = await createConnector({ libp2p: () => from.libp2p }).connect(to.peerId, AbortSignal.timeout(5000))
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
