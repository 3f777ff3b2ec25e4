import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { FaultTolerance, type Connection, type Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp, type TCPOptions } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, expect, test, vi } from 'vitest'
import { CONNECTION_MONITOR } from '../../src-main/p2p/host/limits.js'
import type { Host, RelayOptions } from '../../src-main/p2p/index.js'
import { RELAY_DEFAULTS } from '../../src-main/p2p/reach/relay/relay-server.js'
import { addressesOver, createHosts, until } from '../fixtures/hosts.js'

/** All of 127.0.0.0/8 is this machine on Linux only: how one machine is many addresses. */
const onLinux = test.skipIf(process.platform !== 'linux')
const CROWDED = '127.0.0.66'

/** What a program says it speaks that wants to be taken for a node. */
const POSED = '/ocf/lan/kad/1.0.0'
const BYTES = '/test/bytes'
const MIB = 1024 * 1024

const hosts = createHosts()
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await hosts.close()
})

const relayWith = (options: Partial<RelayOptions> = {}): Promise<Host> =>
  hosts.host({ relay: { ...RELAY_DEFAULTS, mode: 'on', ...options } })

const tcpOf = (host: Host): string => addressesOver(host, 'tcp')[0] ?? ''
const circuitOf = (host: { multiaddrs(): string[] }): string | undefined =>
  host.multiaddrs().find((address) => address.includes('/p2p-circuit'))
const given = (relay: Host): number => relay.reach?.().relayServer.reservations ?? 0

interface Outsider extends Libp2p {
  multiaddrs(): string[]
}

/** A plain libp2p host of one address. With `at` it asks that relay for a reservation as it starts. */
async function outsider(options: { from?: string; speaks?: string[]; at?: Host } = {}): Promise<Outsider> {
  const { from = CROWDED, speaks = [POSED], at } = options
  const libp2p = await createLibp2p({
    addresses: { listen: at === undefined ? [] : [`${tcpOf(at)}/p2p-circuit`] },
    transports: [
      tcp({ dialOpts: { localAddress: from } as NonNullable<TCPOptions['dialOpts']> }),
      circuitRelayTransport(),
    ],
    transportManager: { faultTolerance: FaultTolerance.NO_FATAL },
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: CONNECTION_MONITOR,
    connectionManager: { reconnectRetries: 0 },
    services: { identify: identify() },
    start: false,
  })
  hosts.defer(() => libp2p.stop())
  for (const protocol of [...speaks, BYTES]) await serveBytes(libp2p, protocol)
  await libp2p.start()
  return Object.assign(libp2p, { multiaddrs: () => libp2p.getMultiaddrs().map(String) })
}

/** Answers a number with so many bytes. */
async function serveBytes(libp2p: Libp2p, protocol = BYTES): Promise<void> {
  await libp2p.handle(
    protocol,
    (stream) => {
      stream.addEventListener('message', ({ data }) => {
        stream.send(Buffer.alloc(Number(Buffer.from(data.subarray()).toString()), 7))
        stream.close().catch(() => undefined)
      })
    },
    { runOnLimitedConnection: true },
  )
}

/** How many of the bytes that were asked for come. */
async function receive(connection: Connection, bytes: number): Promise<number> {
  const stream = await connection.newStream(BYTES, { runOnLimitedConnection: true })
  let received = 0
  return await new Promise((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      received += data.byteLength
      if (received === bytes) resolve(received)
    })
    stream.addEventListener('close', () => resolve(received))
    stream.send(Buffer.from(String(bytes)))
  })
}

async function honest(relay: Host): Promise<Host> {
  const host = await hosts.host()
  await host.libp2p.dial(multiaddr(tcpOf(relay)))
  return host
}

onLinux(
  'while one address holds all reservations of a relay a node of another gets one, and all are free once that address has left',
  async () => {
    const max = 64
    const relay = await relayWith({ maxReservations: max })
    const crowd: Outsider[] = []
    for (let count = 0; count < max + 16; count += 16) {
      crowd.push(...(await Promise.all(Array.from({ length: 16 }, () => outsider({ at: relay })))))
    }
    const holding = (): number => crowd.filter((one) => circuitOf(one) !== undefined).length
    expect([given(relay), holding()]).toEqual([max, max])

    const newcomer = await honest(relay)
    await until('the newcomer has a reservation', () => circuitOf(newcomer) !== undefined)
    expect(given(relay)).toBe(max)
    await until('the one that was evicted for it knows', () => holding() === max - 1)

    for (const one of crowd) await one.stop()
    await until('only the newcomer has one', () => given(relay) === 1, 5_000)
  },
  60_000,
)

test('a relay carries nothing for programs that speak no protocol of this network', async () => {
  const relay = await relayWith()
  const node = await honest(relay)
  await until('the node has a reservation', () => circuitOf(node) !== undefined)
  const stranger = await outsider({ speaks: ['/evil/1'], at: relay })
  expect(circuitOf(stranger)).toBeUndefined()
  expect(given(relay)).toBe(1)
  await expect(stranger.dial(multiaddr(circuitOf(node)))).rejects.toThrow('PERMISSION_DENIED')
})

onLinux(
  'seven ids of one address use a fifth of what a relay gives in an hour, and a node of another address is served',
  async () => {
    const totalBytes = 20 * MIB
    const relay = await relayWith({ peerBytes: totalBytes, totalBytes })
    const ids = await Promise.all(Array.from({ length: 7 }, () => outsider({ at: relay })))
    for (const [at, id] of ids.entries()) {
      const to = circuitOf(ids[(at + 1) % ids.length]!)
      const connection = to === undefined ? undefined : await id.dial(multiaddr(to)).catch(() => undefined)
      if (connection !== undefined) await receive(connection, 5 * MIB)
    }
    const used = relay.reach?.().relayServer.usedBytes ?? 0
    expect(used).toBeGreaterThan(totalBytes / 8)
    // What was on its way when the share was used up is counted too.
    expect(used).toBeLessThan(totalBytes * 0.3)

    const [provider, asker] = [await honest(relay), await hosts.host()]
    await serveBytes(provider.libp2p)
    await until('the provider has a reservation', () => circuitOf(provider) !== undefined)
    const connection = await asker.libp2p.dial(multiaddr(circuitOf(provider)))
    expect(await receive(connection, 2 * MIB)).toBe(2 * MIB)
  },
  60_000,
)

onLinux('one address that holds all circuits of a relay loses one to a node of another address', async () => {
  const relay = await relayWith({ maxReservations: 1 })
  const provider = await honest(relay)
  await serveBytes(provider.libp2p)
  await until('the provider has a reservation', () => circuitOf(provider) !== undefined)
  const circuit = multiaddr(circuitOf(provider))
  const greedy = await outsider()
  const held: Connection[] = []
  for (let count = 0; count < 8; count += 1) held.push(await greedy.dial(circuit, { force: true }))
  await expect(greedy.dial(circuit, { force: true })).rejects.toThrow('PERMISSION_DENIED')

  const asker = await hosts.host()
  expect(await receive(await asker.libp2p.dial(circuit), 1000)).toBe(1000)
  await until('one of the eight was cut', () => held.filter(({ status }) => status === 'open').length === 7)
})

test('a node renews its reservation five minutes before its half hour is over', async () => {
  const renewals: { callback: () => void; ms: number }[] = []
  const setTimer = globalThis.setTimeout
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((callback: () => void, ms = 0, ...rest: unknown[]) => {
    if (Math.abs(ms - 25 * 60_000) < 60_000) renewals.push({ callback, ms })
    return Reflect.apply(setTimer, globalThis, [callback, ms, ...rest]) as NodeJS.Timeout
  })
  const relay = await relayWith()
  const node = await honest(relay)
  await until('the node has a reservation', () => circuitOf(node) !== undefined && renewals.length > 0)
  const untilMs = (): number => node.reach?.().relays[0]?.untilMs ?? 0
  const first = untilMs()
  expect(first - Date.now()).toBeLessThanOrEqual(30 * 60_000 + 1_000)

  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 60_000 })
  renewals.at(-1)?.callback()
  await until('the renewal has moved its end', () => untilMs() >= first + 24 * 60_000)
  expect(given(relay)).toBe(1)
  expect(circuitOf(node)).toBeDefined()
})
