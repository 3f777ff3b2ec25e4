import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeOffersAnswer,
  decodeOffersRequest,
  encodeOffersAnswer,
  encodeOffersRequest,
  MAX_OFFERS_ANSWER_BYTES,
} from '../../../../src-main/node-table/wire/offers-message.js'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const CONTEXT = { nonce: new Uint8Array(16).fill(9), asker: '12D3KooWAsker' }
const services = (count: number) => [
  { name: 'llm', status: 'connected', identity_group: Array.from({ length: count }, (_, index) => `model=m-${index}`) },
]

test('a request reads as it was written, and nothing else reads as one', () => {
  const ask = encodeOffersRequest({ kind: 'ask', nonce: CONTEXT.nonce })
  expect(decodeOffersRequest(ask)).toEqual({ kind: 'ask', nonce: CONTEXT.nonce })
  expect(decodeOffersRequest(encodeOffersRequest({ kind: 'changed' }))).toEqual({ kind: 'changed' })
  for (let length = 0; length < ask.byteLength; length += 1) {
    expect(decodeOffersRequest(ask.slice(0, length))).toBe('incomplete')
  }
  expect(decodeOffersRequest(Uint8Array.from([...ask, 0]))).toBeUndefined()
  expect(decodeOffersRequest(Uint8Array.from([1, 1, 0]))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const read = decodeOffersRequest(bytes)
      if (typeof read === 'object') expect(encodeOffersRequest(read)).toEqual(bytes)
    }),
  )
})

test('an answer reads as it was written, piece by piece, and only by who it is for', () => {
  const bytes = encodeOffersAnswer({ leaseMs: 60_000, services: services(3) }, CONTEXT, privateKey)
  expect(decodeOffersAnswer(bytes, CONTEXT, publicKey)).toEqual({ leaseMs: 60_000, services: services(3) })
  for (let length = 0; length < bytes.byteLength; length += 1) {
    expect(decodeOffersAnswer(bytes.slice(0, length), CONTEXT, publicKey)).toBe('incomplete')
  }
  expect(decodeOffersAnswer(Uint8Array.from([...bytes, 0]), CONTEXT, publicKey)).toBeUndefined()
  expect(decodeOffersAnswer(bytes, { ...CONTEXT, asker: 'another' }, publicKey)).toBeUndefined()
  expect(decodeOffersAnswer(bytes, { ...CONTEXT, nonce: new Uint8Array(16) }, publicKey)).toBeUndefined()
  expect(decodeOffersAnswer(bytes, CONTEXT, generateKeyPairSync('ed25519').publicKey)).toBeUndefined()
})

test('an answer with a byte changed is none, and no bytes make the reader throw', () => {
  const bytes = encodeOffersAnswer({ leaseMs: 60_000, services: services(2) }, CONTEXT, privateKey)
  fc.assert(
    fc.property(fc.nat({ max: bytes.byteLength - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const forged = Uint8Array.from(bytes)
      forged[at] = (forged[at] ?? 0) ^ change
      expect(typeof decodeOffersAnswer(forged, CONTEXT, publicKey)).not.toBe('object')
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(typeof decodeOffersAnswer(noise, CONTEXT, publicKey)).not.toBe('object')
    }),
  )
})

test('an answer stays within its bound, whatever is offered', () => {
  const many = Array.from({ length: 32 }, () => services(100)[0]!)
  const bytes = encodeOffersAnswer({ leaseMs: 60_000, services: many }, CONTEXT, privateKey)
  expect(bytes.byteLength).toBeLessThanOrEqual(MAX_OFFERS_ANSWER_BYTES)
  expect(decodeOffersAnswer(bytes, CONTEXT, publicKey)).toMatchObject({ leaseMs: 60_000 })
})
