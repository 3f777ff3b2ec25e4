import { randomBytes } from 'node:crypto'
import { pureJsCrypto } from '@libp2p/noise'
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { noiseCrypto } from '../../../../src-main/p2p/hardening/noise-crypto.js'

const flat = (bytes: Uint8Array | Uint8ArrayList): Buffer => Buffer.from(bytes.subarray())

/** The same bytes in pieces, as they come from a socket. */
function inPieces(bytes: Uint8Array, cuts: readonly number[]): Uint8ArrayList {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.byteLength + 1)))].sort((a, b) => a - b)
  const list = new Uint8ArrayList()
  let from = 0
  for (const end of [...ends, bytes.byteLength]) {
    if (end > from) list.append(bytes.slice(from, end))
    from = end
  }
  return list
}

/** Around the sizes at which another way is taken, and up to what one message of noise holds. */
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 2_000 }),
  fc.integer({ min: 1_170, max: 1_230 }),
  fc.integer({ min: 1_570, max: 1_630 }),
  fc.integer({ min: 16_000, max: 17_000 }),
  fc.integer({ min: 60_000, max: 65_519 }),
)
const message = fc.record({
  size: sizes,
  cuts: fc.array(fc.nat(65_519), { maxLength: 5 }),
  adBytes: fc.constantFrom(0, 32),
  nonce: fc.nat(1_000_000),
})
const nonceOf = (count: number): Uint8Array => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32LE(count, 4)
  return bytes
}

describe.each([
  ['with OpenSSL', noiseCrypto(true)],
  ['without', noiseCrypto(false)],
])('%s', (_name, ours) => {
  test('it says what the reference says, whole or in pieces, and understands it', () => {
    const key = randomBytes(32)
    fc.assert(
      fc.property(message, ({ size, cuts, adBytes, nonce }) => {
        const text = randomBytes(size)
        const ad = randomBytes(adBytes)
        const expected = flat(pureJsCrypto.chaCha20Poly1305Encrypt(text, nonceOf(nonce), ad, key))
        for (const plain of [text, inPieces(text, cuts)]) {
          expect(flat(ours.chaCha20Poly1305Encrypt(plain, nonceOf(nonce), ad, key)).equals(expected)).toBe(true)
        }
        for (const sealed of [Buffer.from(expected), inPieces(expected, cuts)]) {
          const dst = Buffer.alloc(size)
          expect(flat(ours.chaCha20Poly1305Decrypt(sealed, nonceOf(nonce), ad, key, dst)).equals(text)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('a message with a changed byte, another nonce, key or context is refused', () => {
    const key = randomBytes(32)
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ size, adBytes, nonce }, at, change) => {
        const ad = randomBytes(adBytes)
        const sealed = flat(ours.chaCha20Poly1305Encrypt(randomBytes(size), nonceOf(nonce), ad, key))
        const open = (bytes: Uint8Array, count: number, k: Uint8Array, context: Uint8Array) => (): unknown =>
          ours.chaCha20Poly1305Decrypt(Uint8Array.from(bytes), nonceOf(count), context, k, Buffer.alloc(size))
        const changed = Buffer.from(sealed)
        const index = at % changed.byteLength
        changed[index] = (changed[index] ?? 0) ^ change
        expect(open(changed, nonce, key, ad)).toThrow()
        expect(open(sealed, nonce + 1, key, ad)).toThrow()
        expect(open(sealed, nonce, randomBytes(32), ad)).toThrow()
        expect(open(sealed, nonce, key, randomBytes(32))).toThrow()
        expect(open(sealed, nonce, key, ad)).not.toThrow()
      }),
      { numRuns: 60 },
    )
  })
})
