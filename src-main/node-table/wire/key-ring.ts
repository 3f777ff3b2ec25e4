import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'

/** An owner's public key, ready for use. */
interface OwnerKey {
  peerId: string
  /** OpenSSL's form of the key; importing it costs as much as half a verification, hence kept. */
  verifyKey: () => KeyObject
}

/** Derives peer ids and keys from raw Ed25519 public keys and remembers the latest. */
export interface KeyRing {
  /** `undefined` for bytes that are no Ed25519 public key. */
  get(rawPublicKey: Uint8Array): OwnerKey | undefined
}

/** DER of a SubjectPublicKeyInfo with an Ed25519 key, up to the key itself (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** A {@link KeyRing} that remembers up to `capacity` keys. */
export function createKeyRing(capacity = 8192): KeyRing {
  const known = new Map<string, OwnerKey>()

  return {
    get(rawPublicKey) {
      const name = Buffer.from(rawPublicKey).toString('latin1')
      const found = known.get(name)
      if (found !== undefined) return found
      const owner = importKey(rawPublicKey)
      if (owner === undefined) return undefined
      if (known.size >= capacity) {
        for (const oldest of known.keys()) {
          known.delete(oldest)
          break
        }
      }
      known.set(name, owner)
      return owner
    },
  }
}

function importKey(rawPublicKey: Uint8Array): OwnerKey | undefined {
  if (rawPublicKey.byteLength !== 32) return undefined
  let imported: KeyObject | undefined
  const der = Buffer.concat([SPKI_PREFIX, rawPublicKey])
  return {
    peerId: publicKeyFromRaw(Uint8Array.from(rawPublicKey)).toString(),
    verifyKey: () => (imported ??= createPublicKey({ key: der, format: 'der', type: 'spki' })),
  }
}

/** OpenSSL's form of an Ed25519 key of libp2p, whose `raw` is seed then public key. */
export function importPrivateKey(privateKey: PrivateKey): KeyObject {
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'OKP',
      crv: 'Ed25519',
      d: base64url(privateKey.raw.subarray(0, 32)),
      x: base64url(privateKey.publicKey.raw),
    },
  })
}
