import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId, PeerStore } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryDatastore } from 'datastore-core'
import { createLibp2p } from 'libp2p'
import { expect, test, vi } from 'vitest'
import {
  boundPeerStore,
  PEER_STORE_LIMITS,
  type PeerStoreLimits,
} from '../../../../../src-main/p2p/hardening/peer-store/bounded-peer-store.js'

const newPeer = async (): Promise<PeerId> => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
const addresses = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    multiaddr(`/ip4/10.0.${(index + from) >> 8}.${(index + from) & 255}/tcp/4001`),
  )
const signed = (count: number, from = 0) =>
  addresses(count, from).map((address) => ({ multiaddr: address, isCertified: true }))

/** libp2p's own peer store, in memory, with bounds. */
async function start(limits: Partial<PeerStoreLimits> = {}) {
  const datastore = new MemoryDatastore()
  const { peerStore, peerId } = await createLibp2p({ start: false, datastore })
  const connected = new Set<string>()
  const connectionManager = {
    getConnections: (id?: PeerId) => (connected.has(String(id)) ? [{} as Connection] : []),
  }
  let nowMs = 0
  const clock = { elapsedMs: () => nowMs, pass: (ms: number) => void (nowMs += ms) }
  boundPeerStore({ peerId, peerStore, connectionManager }, { ...PEER_STORE_LIMITS, ...limits }, clock)
  return { peerStore, self: peerId, connected, clock, datastore }
}

const textsOf = async (store: PeerStore, peer: PeerId): Promise<string[]> =>
  (await store.get(peer)).addresses.map(({ multiaddr: address }) => address.toString())

test.each(['save', 'patch', 'merge'] as const)(
  '%s keeps no more addresses of a peer than there may be',
  async (how) => {
    const { peerStore } = await start()
    const peer = await newPeer()
    await peerStore[how](peer, { multiaddrs: addresses(50_000) })
    expect(await textsOf(peerStore, peer)).toHaveLength(32)
  },
)

test('addresses heard of a few at a time stay within the same bound, and the latest are among them', async () => {
  const { peerStore } = await start()
  const peer = await newPeer()
  for (let from = 0; from < 100; from += 10) await peerStore.merge(peer, { multiaddrs: addresses(10, from) })
  const kept = await textsOf(peerStore, peer)
  expect(kept).toHaveLength(32)
  expect(kept).toContain('/ip4/10.0.0.99/tcp/4001')
})

test('addresses merged at the same time stay within the bound together', async () => {
  const { peerStore } = await start()
  const peer = await newPeer()
  await Promise.all([0, 30, 60].map((from) => peerStore.merge(peer, { multiaddrs: addresses(30, from) })))
  expect(await textsOf(peerStore, peer)).toHaveLength(32)
})

test('what others say of a peer does not displace the addresses that it has signed', async () => {
  const { peerStore } = await start()
  const peer = await newPeer()
  await peerStore.patch(peer, { addresses: signed(3) })
  await peerStore.merge(peer, { multiaddrs: addresses(1000, 100) })
  const { addresses: kept } = await peerStore.get(peer)
  expect(kept.filter(({ isCertified }) => isCertified)).toHaveLength(3)
})

test('long addresses, long names of protocols, long metadata and long envelopes are not kept', async () => {
  const { peerStore } = await start()
  const peer = await newPeer()
  await peerStore.patch(peer, {
    multiaddrs: [multiaddr(`/dns4/${'a'.repeat(300)}/tcp/1`), ...addresses(1)],
    protocols: ['/short', `/${'a'.repeat(200)}`, ...Array.from({ length: 500 }, (_, index) => `/p/${index}`)],
    metadata: { AgentVersion: new Uint8Array(10), Long: new Uint8Array(1000) },
    peerRecordEnvelope: new Uint8Array(100_000),
  })
  const kept = await peerStore.get(peer)
  expect(await textsOf(peerStore, peer)).toEqual(['/ip4/10.0.0.0/tcp/4001'])
  expect(kept.protocols).toHaveLength(64)
  expect(kept.protocols).not.toContain(`/${'a'.repeat(200)}`)
  expect([...kept.metadata.keys()]).toEqual(['AgentVersion'])
  expect(kept.peerRecordEnvelope).toBeUndefined()
})

test('a merge adds to what is known: addresses, protocols, tags and metadata', async () => {
  const { peerStore } = await start()
  const peer = await newPeer()
  await peerStore.merge(peer, { multiaddrs: addresses(1), protocols: ['/a'], tags: { x: { value: 1 } } })
  await peerStore.merge(peer, { multiaddrs: addresses(1, 1), protocols: ['/b'], tags: { y: { value: 2 } } })
  await peerStore.merge(peer, { metadata: { AgentVersion: new Uint8Array(1) } })
  const kept = await peerStore.get(peer)
  expect(kept.addresses).toHaveLength(2)
  expect(kept.protocols).toEqual(['/a', '/b'])
  expect([...kept.tags.keys()]).toEqual(['x', 'y'])
  await peerStore.merge(peer, { tags: { x: undefined } })
  expect([...(await peerStore.get(peer)).tags.keys()]).toEqual(['y'])
})

test('the record of this node itself has no bound', async () => {
  const { peerStore, self } = await start()
  await peerStore.merge(self, { multiaddrs: addresses(100) })
  expect(await textsOf(peerStore, self)).toHaveLength(100)
})

test('writes of one peer wait for each other up to a bound, and those of others do not wait for them', async () => {
  const { peerStore } = await start({ waiting: 3 })
  const [flooder, other] = [await newPeer(), await newPeer()]
  const outcomes = Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => peerStore.merge(flooder, { multiaddrs: addresses(1, index) })),
  )
  await peerStore.merge(other, { multiaddrs: addresses(1) })
  expect((await outcomes).filter(({ status }) => status === 'rejected')).toHaveLength(7)
  await peerStore.merge(flooder, { multiaddrs: addresses(1, 50) })
  expect(await textsOf(peerStore, flooder)).toHaveLength(4)
})

test('of too many peers, those that were never connected are forgotten first', async () => {
  const { peerStore, connected } = await start({ peers: 8 })
  const met = await Promise.all(Array.from({ length: 4 }, newPeer))
  for (const peer of met) {
    connected.add(peer.toString())
    await peerStore.patch(peer, { multiaddrs: addresses(1) })
  }
  connected.clear()
  for (let index = 0; index < 50; index += 1) await peerStore.merge(await newPeer(), { multiaddrs: addresses(1) })
  const kept = await peerStore.all()
  expect(kept).toHaveLength(8)
  for (const peer of met) expect(await peerStore.has(peer)).toBe(true)
})

test('a newcomer that is only heard of finds room among many that were met', async () => {
  const { peerStore, connected } = await start({ peers: 8 })
  for (let index = 0; index < 20; index += 1) {
    const peer = await newPeer()
    connected.add(peer.toString())
    await peerStore.patch(peer, { multiaddrs: addresses(1) })
    connected.clear()
  }
  const newcomer = await newPeer()
  await peerStore.merge(newcomer, { multiaddrs: addresses(1) })
  expect(await peerStore.has(newcomer)).toBe(true)
  expect(await peerStore.all()).toHaveLength(8)
})

test('a hundred streams opened at once to a peer are all noted, however many merges of addresses may wait', async () => {
  const { peerStore } = await start({ waiting: 1 })
  const peer = await newPeer()
  await Promise.all(Array.from({ length: 100 }, () => peerStore.merge(peer, { protocols: ['/http'] })))
  expect((await peerStore.get(peer)).protocols).toEqual(['/http'])
})

test('the protocol of each stream is written once, and again when it may have been lost', async () => {
  const { peerStore, clock, datastore } = await start()
  const peer = await newPeer()
  const put = vi.spyOn(datastore, 'put')
  const isWritten = async (work: Promise<unknown>): Promise<boolean> => {
    const before = put.mock.calls.length
    await work
    return put.mock.calls.length > before
  }
  const merge = (...protocols: string[]) => isWritten(peerStore.merge(peer, { protocols }))
  expect(await merge('/http')).toBe(true)
  expect(await merge('/http')).toBe(false)
  expect(await merge('/other', '/http')).toBe(true)
  expect(await merge('/http')).toBe(false)
  expect(await isWritten(peerStore.merge(peer, { protocols: ['/http'], tags: { kept: {} } }))).toBe(true)
  await peerStore.patch(peer, { protocols: ['/other'] })
  expect(await merge('/http')).toBe(true)
  clock.pass(60_000)
  expect(await merge('/http')).toBe(true)
  await peerStore.delete(peer)
  expect(await merge('/http')).toBe(true)
  expect((await peerStore.get(peer)).protocols).toEqual(['/http'])
})
