import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countPeers, kadRule } from '../../../../../src-main/p2p/hardening/dht/kad-rules.js'

const field = (number: number, bytes: Uint8Array): Uint8Array => {
  const { byteLength } = bytes
  const length = byteLength < 128 ? [byteLength] : [(byteLength % 128) | 128, byteLength >> 7]
  return Buffer.concat([Uint8Array.from([number * 8 + 2, ...length]), bytes])
}
const repeat = (count: number, bytes: Uint8Array): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, () => bytes))
const peerWith = (addresses: number): Uint8Array =>
  Buffer.concat([field(1, new Uint8Array(38)), repeat(addresses, field(2, new Uint8Array(8)))])
const TYPE = Uint8Array.from([8, 2])
const message = (...fields: Uint8Array[]): Uint8Array => Buffer.concat([TYPE, ...fields])

test('closer peers, providers and their addresses in a message of the DHT are counted unread', () => {
  expect(countPeers(message(repeat(3, field(8, peerWith(2))), field(9, peerWith(5))))).toEqual({
    peers: 4,
    addresses: 11,
  })
})

test('any bytes are counted or refused, and none throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void countPeers(bytes)))
})

test('a question of the DHT may hold one peer with many networks, and no crowd', () => {
  const { accepts } = kadRule('/kad')
  expect(accepts?.(message(field(9, peerWith(200))), false)).toBe(true)
  expect(accepts?.(message(field(9, peerWith(300))), false)).toBe(false)
  expect(accepts?.(message(repeat(5, field(9, peerWith(1)))), false)).toBe(false)
})

test('an answer of the DHT may hold twenty closer peers and twenty providers, each with what the peer store keeps', () => {
  const { accepts } = kadRule('/kad')
  expect(accepts?.(message(repeat(20, field(8, peerWith(32))), repeat(20, field(9, peerWith(32)))), true)).toBe(true)
  expect(accepts?.(message(repeat(65, field(8, peerWith(1)))), true)).toBe(false)
})

test('a message of the DHT that is cut short is refused', () => {
  const whole = message(field(9, peerWith(3)))
  expect(kadRule('/kad').accepts?.(whole.subarray(0, whole.byteLength - 1), true)).toBe(false)
})
