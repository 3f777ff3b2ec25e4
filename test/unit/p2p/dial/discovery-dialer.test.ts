import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { createDiscoveryDialer } from '../../../../src-main/p2p/dial/discovery-dialer.js'
import { silentLog } from '../../../fixtures/hosts.js'

const newPeer = async (): Promise<PeerId> => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A libp2p whose dials end when the test says so. */
class FakeLibp2p extends EventTarget {
  readonly peerId: PeerId
  readonly connected = new Map<string, PeerId>()
  /** Of connections to a peer; absent: it was dialled, at an address of its own. */
  readonly facts = new Map<string, { direction?: 'inbound'; address?: string }>()
  readonly dialled: string[] = []
  readonly #pending: { id: PeerId; resolve(): void; reject(error: Error): void }[] = []

  constructor(peerId: PeerId) {
    super()
    this.peerId = peerId
  }
  getPeers = (): PeerId[] => [...this.connected.values()]
  getConnections = (id?: PeerId): Connection[] => {
    const peers = id === undefined ? this.getPeers() : this.connected.has(id.toString()) ? [id] : []
    return peers.map((remotePeer, index) => {
      const { direction = 'outbound', address = `/ip4/203.0.${index}.1/tcp/1` } =
        this.facts.get(String(remotePeer)) ?? {}
      return { remotePeer, direction, remoteAddr: multiaddr(address) } as unknown as Connection
    })
  }
  /** Peers that are connected before anyone is discovered. */
  async crowd(count: number, facts: { direction?: 'inbound'; address?: string }): Promise<void> {
    for (let each = 0; each < count; each += 1) {
      const id = await newPeer()
      this.connected.set(id.toString(), id)
      this.facts.set(id.toString(), facts)
    }
  }
  dial = (id: PeerId, { signal }: { signal: AbortSignal }): Promise<unknown> => {
    this.dialled.push(id.toString())
    return new Promise<void>((resolve, reject) => {
      this.#pending.push({ id, resolve, reject })
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }
  async discover(...peers: PeerId[]): Promise<void> {
    for (const id of peers) this.dispatchEvent(new CustomEvent('peer:discovery', { detail: { id, multiaddrs: [] } }))
    await settle()
  }
  async answer(isReached: boolean): Promise<void> {
    const dial = this.#pending.shift()
    if (isReached && dial !== undefined) this.connected.set(dial.id.toString(), dial.id)
    if (isReached) dial?.resolve()
    else dial?.reject(new Error('unreachable'))
    await settle()
  }
}

async function start(now = () => 0, options: Parameters<typeof createDiscoveryDialer>[1] = {}) {
  const libp2p = new FakeLibp2p(await newPeer())
  const needs = { libp2p: libp2p as unknown as Libp2p, log: silentLog, clock: { elapsedMs: now } }
  const dialer = createDiscoveryDialer(needs, options)
  return { libp2p, dialer }
}

test('discovered peers are dialled, four at a time, until there are twenty', async () => {
  const { libp2p } = await start()
  await libp2p.discover(...(await Promise.all(Array.from({ length: 40 }, newPeer))))
  expect(libp2p.dialled).toHaveLength(4)
  for (let answers = 0; answers < 40; answers += 1) await libp2p.answer(true)
  expect(libp2p.connected.size).toBe(20)
  expect(libp2p.dialled).toHaveLength(20)
  const [lost] = libp2p.connected.values()
  libp2p.connected.delete(lost!.toString())
  libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: lost }))
  expect(libp2p.dialled).toHaveLength(21)
})

test('a crowd of peers that came to this node keeps it from dialling none that it hears of', async () => {
  const { libp2p } = await start()
  await libp2p.crowd(200, { direction: 'inbound' })
  await libp2p.discover(...(await Promise.all(Array.from({ length: 20 }, newPeer))))
  for (let answers = 0; answers < 20; answers += 1) await libp2p.answer(true)
  expect(libp2p.dialled).toHaveLength(8)
})

test('peers of one address group that were dialled leave room for others', async () => {
  const { libp2p } = await start()
  await libp2p.crowd(20, { address: '/ip4/203.0.113.66/tcp/1' })
  await libp2p.discover(...(await Promise.all(Array.from({ length: 20 }, newPeer))))
  for (let answers = 0; answers < 20; answers += 1) await libp2p.answer(true)
  expect(libp2p.dialled).toHaveLength(7)
})

test('no more than forty peers are dialled, where all are of one address group', async () => {
  const { libp2p } = await start()
  await libp2p.crowd(38, { address: '/ip4/203.0.113.66/tcp/1' })
  const others = await Promise.all(Array.from({ length: 20 }, newPeer))
  for (const id of others) libp2p.facts.set(id.toString(), { address: '/ip4/203.0.113.67/tcp/1' })
  await libp2p.discover(...others)
  for (let answers = 0; answers < 20; answers += 1) await libp2p.answer(true)
  expect(libp2p.dialled).toHaveLength(2)
})

test('neither this node nor a connected peer is dialled', async () => {
  const { libp2p } = await start()
  const friend = await newPeer()
  libp2p.connected.set(friend.toString(), friend)
  await libp2p.discover(libp2p.peerId, friend)
  expect(libp2p.dialled).toEqual([])
})

test('a peer that cannot be reached is left alone for five minutes', async () => {
  let nowMs = 0
  const { libp2p } = await start(() => nowMs)
  const peer = await newPeer()
  await libp2p.discover(peer)
  await libp2p.answer(false)
  nowMs = 5 * 60_000 - 1
  await libp2p.discover(peer)
  expect(libp2p.dialled).toHaveLength(1)
  nowMs += 1
  await libp2p.discover(peer)
  expect(libp2p.dialled).toHaveLength(2)
})

test('a node with few peers tries again sooner whom it could not reach, and one with enough does not', async () => {
  const { libp2p, dialer } = await start(() => 0, { retryWithFewMs: 1 })
  const [peer, other] = [await newPeer(), await newPeer()]
  await libp2p.discover(peer)
  await libp2p.answer(false)
  await expect.poll(() => libp2p.dialled).toHaveLength(2)
  await libp2p.answer(true)
  expect(libp2p.connected.size).toBe(1)

  for (let friends = 0; friends < 3; friends += 1) {
    const friend = await newPeer()
    libp2p.connected.set(friend.toString(), friend)
  }
  await libp2p.discover(other)
  await libp2p.answer(false)
  // The retry of the other is due before this later timer.
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(libp2p.dialled).toEqual([peer, peer, other].map(String))
  await dialer.stop()
})

test('stopping ends the dials that run, and no other begins', async () => {
  const { libp2p, dialer } = await start()
  await libp2p.discover(...(await Promise.all(Array.from({ length: 6 }, newPeer))))
  await dialer.stop()
  await libp2p.discover(await newPeer())
  expect(libp2p.dialled).toHaveLength(4)
})
