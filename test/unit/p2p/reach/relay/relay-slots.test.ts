import type { CircuitRelayService, RelayReservation } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, test } from 'vitest'
import { RelayReservationSlots } from '../../../../../src-main/p2p/reach/relay/relay-slots.js'

const peers: PeerId[] = await Promise.all(
  Array.from({ length: 6 }, async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))),
)

/** As the library does it: what was granted is put into its map. */
function relay(max: number) {
  const held = new Map<PeerId, RelayReservation>() as unknown as CircuitRelayService['reservations']
  const evicted: PeerId[] = []
  const cleared: PeerId[] = []
  const slots = new RelayReservationSlots(held, { max, onEvicted: (peer) => evicted.push(peer) })
  const reserve = (peer: PeerId, source: string): boolean => {
    const isGranted = slots.take(peer, source)
    const signal = { clear: () => cleared.push(peer) }
    if (isGranted) held.set(peer, { signal } as unknown as RelayReservation)
    return isGranted
  }
  return { held, slots, evicted, cleared, reserve }
}

test('where all reservations are given, the source with most loses its youngest to another source', () => {
  const { held, evicted, reserve } = relay(3)
  for (const peer of peers.slice(0, 3)) expect(reserve(peer, 'crowd')).toBe(true)
  expect(reserve(peers[3]!, 'crowd')).toBe(false)
  expect(reserve(peers[4]!, 'newcomer')).toBe(true)
  expect(evicted).toEqual([peers[2]])
  expect([...held.keys()].map(String)).toEqual([peers[0], peers[1], peers[4]].map(String))
})

test('a reservation is renewed though all are given', () => {
  const { evicted, reserve } = relay(2)
  expect(reserve(peers[0]!, 'a')).toBe(true)
  expect(reserve(peers[1]!, 'b')).toBe(true)
  expect(reserve(peers[0]!, 'a')).toBe(true)
  expect(evicted).toEqual([])
})

test('what the library ends, or its peer by leaving, is free at once, and its timer ends no later reservation', () => {
  const { held, slots, cleared, reserve } = relay(2)
  reserve(peers[0]!, 'a')
  reserve(peers[1]!, 'a')
  held.delete(peers[0]!)
  slots.end(peers[1]!)
  expect(cleared).toEqual([peers[0], peers[1]])
  expect(reserve(peers[2]!, 'a')).toBe(true)
  expect(reserve(peers[3]!, 'a')).toBe(true)
  slots.endAll()
  expect(held.size).toBe(0)
  expect(reserve(peers[4]!, 'a')).toBe(true)
})
