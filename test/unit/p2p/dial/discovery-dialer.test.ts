import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, test } from 'vitest'
import { createDiscoveryDialer } from '../../../../src-main/p2p/dial/discovery-dialer.js'
import { silentLog } from '../../../fixtures/hosts.js'

const newPeer = async (): Promise<PeerId> => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A libp2p whose dials end when the test says so. */
class FakeLibp2p extends EventTarget {
  readonly peerId: PeerId
  readonly connected = new Map<string, PeerId>()
  readonly dialled: string[] = []
  readonly #pending: { id: PeerId; resolve(): void; reject(error: Error): void }[] = []

  constructor(peerId: PeerId) {
    super()
    this.peerId = peerId
  }
  getPeers = (): PeerId[] => [...this.connected.values()]
  getConnections = (id: PeerId): unknown[] => (this.connected.has(id.toString()) ? [{}] : [])
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
