import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { monotonicClock } from '../../../src-main/base/clock.js'
import type { Host } from '../../../src-main/p2p/index.js'
import type { KeptPerson } from '../../../src-main/people/kept.js'
import { StayConnected } from '../../../src-main/people/stay-connected.js'
import { silentLog } from '../../fixtures/hosts.js'

const ANN = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const STRANGER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'

/** A host whose dials all fail, and the people it is to stay connected with. */
function setUp(options: { people?: string[]; dials?: boolean } = {}) {
  const people = new Map((options.people ?? [ANN]).map((peerId) => [peerId, personOf(peerId)]))
  const dials: number[] = []
  const merged: { peerId: string; data: { tags?: Record<string, unknown> } }[] = []
  const listeners = new Set<(peerId: string) => void>()
  const connections = new Map<string, Connection>()
  const libp2p = Object.assign(new EventTarget(), {
    getConnections: () => [],
    dial: () => {
      dials.push(Date.now())
      return Promise.reject(new Error('nobody is there'))
    },
    peerRouting: { findPeer: () => Promise.reject(new Error('nobody knows')) },
    peerStore: {
      has: () => Promise.resolve(false),
      get: () => Promise.resolve({ addresses: [] }),
      all: () => Promise.resolve([]),
      merge: (id: PeerId, data: { tags?: Record<string, unknown> }) => {
        merged.push({ peerId: id.toString(), data })
        return Promise.resolve()
      },
    },
  })
  const host = {
    libp2p,
    isConnected: (peerId: string) => connections.has(peerId),
    connectionsTo: (peerId: string) => [...connections].flatMap(([id, open]) => (id === peerId ? [open] : [])),
  } as unknown as Host
  const store = {
    isTrusted: (peerId: string) => people.has(peerId),
    people: () => [...people.values()],
    person: (peerId: string) => people.get(peerId),
    note(peerId: string, change: Partial<KeptPerson>) {
      const person = people.get(peerId)
      if (person !== undefined) people.set(peerId, { ...person, ...change })
    },
    onTrustChanged(listener: (peerId: string) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const stay = new StayConnected(
    { host, store, onMet: () => undefined, clock: Date, monotonic: monotonicClock, log: silentLog },
    { dials: options.dials ?? true },
  )
  const tell = (name: string, detail: unknown): boolean => libp2p.dispatchEvent(new CustomEvent(name, { detail }))
  return {
    ...{ stay, people, dials, merged, connections, tell },
    change: (peerId: string) => listeners.forEach((listener) => listener(peerId)),
  }
}

const personOf = (peerId: string): KeptPerson => ({ peerId, trustedBy: 'hand', trustedAtMs: 1, addresses: [] })

const connectionAt = (address: string, direction = 'outbound'): Connection =>
  ({ remotePeer: peerIdFromString(ANN), remoteAddr: multiaddr(address), direction }) as unknown as Connection

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('staying connected with trusted peers', () => {
  test('looks for one that is away at once, then ever more seldom, and never stops', async () => {
    const { stay, dials } = setUp()
    stay.start()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dials.length).toBeGreaterThanOrEqual(5)
    expect(dials.length).toBeLessThanOrEqual(8)
    const before = dials.length
    await vi.advanceTimersByTimeAsync(24 * 3_600_000)
    // Every ten minutes, and a third of that less at most.
    expect(dials.length - before).toBeGreaterThanOrEqual(24 * 6 - 10)
    expect(dials.length - before).toBeLessThanOrEqual(24 * 9 + 10)
    await stay.stop()
    const atTheEnd = dials.length
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(dials).toHaveLength(atTheEnd)
  })

  test('dials once in two seconds at most, however many are away', async () => {
    const people = Array.from({ length: 300 }, (_, index) => `${ANN.slice(0, -3)}${letters(index)}`)
    const { stay, dials } = setUp({ people })
    stay.start()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(dials.length).toBeGreaterThan(200)
    expect(dials.length).toBeLessThanOrEqual(16 + 300 + 1)
    await stay.stop()
  })

  test('looks again soon when a new peer comes, which may know where they are', async () => {
    const { stay, dials, tell } = setUp()
    stay.start()
    await vi.advanceTimersByTimeAsync(3_600_000)
    const before = dials.length
    tell('peer:connect', peerIdFromString(STRANGER))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(dials.length).toBe(before + 1)
    for (let count = 0; count < 50; count += 1) tell('peer:connect', peerIdFromString(STRANGER))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(dials.length).toBeLessThanOrEqual(before + 2)
    await stay.stop()
  })

  test('looks for nobody where this node dials nobody by itself, nor for one that is no longer trusted', async () => {
    const quiet = setUp({ dials: false })
    quiet.stay.start()
    const { stay, people, dials, change, merged } = setUp()
    stay.start()
    await vi.advanceTimersByTimeAsync(10_000)
    people.delete(ANN)
    change(ANN)
    const before = dials.length
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(dials).toHaveLength(before)
    expect(merged.at(-1)?.data.tags).toEqual({ 'keep-alive-ocf-trusted': undefined })
    expect(quiet.dials).toEqual([])
    await stay.stop()
    await quiet.stay.stop()
  })

  test('keeps a connection that there is and remembers where it led, eight addresses at most', async () => {
    const { stay, people, merged, tell, connections } = setUp()
    connections.set(ANN, connectionAt('/ip4/192.0.2.7/tcp/43905'))
    stay.start()
    expect(merged.at(-1)).toMatchObject({ peerId: ANN, data: { tags: { 'keep-alive-ocf-trusted': { value: 100 } } } })
    expect(people.get(ANN)?.addresses).toEqual([{ address: '/ip4/192.0.2.7/tcp/43905', proven: true }])
    const told = (addresses: string[], at = '/ip4/192.0.2.7/tcp/43905'): void => {
      const listenAddrs = addresses.map((address) => multiaddr(address))
      tell('peer:identify', { peerId: peerIdFromString(ANN), connection: connectionAt(at), listenAddrs })
    }
    told(['/ip4/127.0.0.1/tcp/43905', '/ip4/192.0.2.8/tcp/1', '/ip4/0.0.0.0/tcp/2'])
    expect(people.get(ANN)?.addresses.map(({ address }) => address)).toEqual([
      '/ip4/192.0.2.7/tcp/43905',
      '/ip4/192.0.2.8/tcp/1',
    ])
    told(Array.from({ length: 40 }, (_, index) => `/ip4/198.51.100.${index}/tcp/1000`))
    const kept = people.get(ANN)?.addresses ?? []
    expect(kept).toHaveLength(8)
    expect(kept[0]).toEqual({ address: '/ip4/192.0.2.7/tcp/43905', proven: true })
    told(['/ip4/127.0.0.1/tcp/43905'], '/ip4/127.0.0.1/tcp/50000')
    expect(people.get(ANN)?.addresses.map(({ address }) => address)).toContain('/ip4/127.0.0.1/tcp/43905')
    await stay.stop()
  })
})

/** Three letters of base58, different for each number; the peer ids need not be those of keys. */
function letters(index: number): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  return [index % 58, Math.floor(index / 58) % 58, 7].map((digit) => alphabet[digit]).join('')
}
