// For @libp2p/noise 17.0.3 on Node 24: given plain bytes as a key, OpenSSL's binding throws and catches two errors in
// each call. Goes when the library passes key objects.

import { createCipheriv, createDecipheriv, createSecretKey, getCiphers, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { asCrypto, defaultCrypto } from '@libp2p/noise/crypto'
import { Uint8ArrayList } from 'uint8arraylist'

/** The cipher of noise by OpenSSL's name. BoringSSL, which Electron has, does not offer it to Node. */
const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16

/** Below that many bytes the WASM cipher is quicker: a call of OpenSSL takes 10 µs, or 7, whatever the size. */
const SEAL_FROM_BYTES = 1_600
const OPEN_FROM_BYTES = 1_200

/** More than one piece of a message is joined up to here: a step of the cipher costs as much as copying some KiB. */
const JOIN_BELOW_BYTES = 16 * 1024

/**
 * The cipher of noise as @libp2p/noise has it, WASM for small messages and OpenSSL for large ones, with its keys as key
 * objects. Given plain bytes Node 24 throws and catches two errors inside of each call, which takes longer than the
 * cipher for anything below some 16 KiB. Where OpenSSL lacks the cipher (Electron), WASM is used at every size.
 */
export function noiseCrypto(hasCipher: boolean = getCiphers().includes(CIPHER)): ICryptoInterface {
  if (!hasCipher) return { ...defaultCrypto, ...wasmOnly() }
  const keys = new WeakMap<Uint8Array, KeyObject>()
  /** A connection has one key for each direction, always in the same array. */
  function keyOf(bytes: Uint8Array): KeyObject {
    const known = keys.get(bytes)
    if (known !== undefined) return known
    const key = createSecretKey(bytes)
    keys.set(bytes, key)
    return key
  }

  return {
    ...defaultCrypto,
    chaCha20Poly1305Encrypt(plaintext, nonce, ad, k) {
      if (plaintext.byteLength < SEAL_FROM_BYTES) return asCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, k)
      const cipher = createCipheriv(CIPHER, keyOf(k), nonce, { authTagLength: TAG_BYTES })
      if (ad.byteLength > 0) cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
      const output = new Uint8ArrayList()
      for (const piece of piecesOf(plaintext)) output.append(cipher.update(piece))
      cipher.final()
      output.append(cipher.getAuthTag())
      return output
    },
    chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst) {
      if (ciphertext.byteLength < OPEN_FROM_BYTES) {
        return asCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst)
      }
      const textBytes = ciphertext.byteLength - TAG_BYTES
      const decipher = createDecipheriv(CIPHER, keyOf(k), nonce, { authTagLength: TAG_BYTES })
      if (ad.byteLength > 0) decipher.setAAD(ad, { plaintextLength: textBytes })
      decipher.setAuthTag(ciphertext.subarray(textBytes))
      const text =
        ciphertext instanceof Uint8Array ? ciphertext.subarray(0, textBytes) : ciphertext.sublist(0, textBytes)
      const pieces = piecesOf(text).map((piece) => decipher.update(piece))
      // Throws where the message is not what was sent.
      decipher.final()
      const [only] = pieces
      return pieces.length === 1 && only !== undefined ? only : new Uint8ArrayList(...pieces)
    },
  }
}

const wasmOnly = (): Pick<ICryptoInterface, 'chaCha20Poly1305Encrypt' | 'chaCha20Poly1305Decrypt'> => ({
  chaCha20Poly1305Encrypt: asCrypto.chaCha20Poly1305Encrypt,
  chaCha20Poly1305Decrypt: asCrypto.chaCha20Poly1305Decrypt,
})

function piecesOf(data: Uint8Array | Uint8ArrayList): Uint8Array[] {
  if (data instanceof Uint8Array) return [data]
  return data.byteLength < JOIN_BELOW_BYTES ? [data.subarray()] : [...data]
}
