import { sign, verify, type KeyObject } from 'node:crypto'

/** What a signed answer is bound to, so that it is worth nothing as the answer to another question or peer. */
interface AnswerContext {
  /** What kind of answer it is, with its version; ends with a NUL. */
  domain: string
  nonce: Uint8Array
  /** The peer id of who asked. */
  asker: string
}

/** The Ed25519 signature of an answer, 64 bytes. */
export function signJson(context: AnswerContext, json: Uint8Array, key: KeyObject): Buffer {
  return sign(null, signedBytes(context, json), key)
}

/** False also for a key that is none. Never throws. */
export function isSignedJson(
  context: AnswerContext,
  json: Uint8Array,
  { key, signature }: { key: KeyObject; signature: Uint8Array },
): boolean {
  try {
    return verify(null, signedBytes(context, json), key, signature)
  } catch {
    return false // 32 bytes that OpenSSL does not take for a key sign nothing.
  }
}

/** Undefined for what is no JSON in UTF-8. */
export function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch {
    return undefined // Foreign bytes: not being JSON is one of their expected forms.
  }
}

function signedBytes({ domain, nonce, asker }: AnswerContext, json: Uint8Array): Buffer {
  const name = Buffer.from(asker, 'utf8')
  return Buffer.concat([Buffer.from(domain, 'utf8'), nonce, Buffer.from([name.byteLength]), name, json])
}
