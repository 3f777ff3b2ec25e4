import { createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'

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
