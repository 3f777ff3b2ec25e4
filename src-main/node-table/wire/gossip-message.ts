import { createByteReader } from './bytes.js'
import { MAX_ENVELOPE_BYTES, MAX_GOSSIP_BYTES } from '../constants.js'

const LENGTH_BYTES = 2

/** Packs envelopes into as few gossip messages as they fit: each envelope after its length, 16 bits big endian. */
export function encodeGossipMessages(envelopes: Iterable<Uint8Array>): Uint8Array[] {
  const messages: Uint8Array[] = []
  let parts: Uint8Array[] = []
  let size = 0
  for (const envelope of envelopes) {
    const length = new Uint8Array([envelope.byteLength >> 8, envelope.byteLength & 0xff])
    if (size + LENGTH_BYTES + envelope.byteLength > MAX_GOSSIP_BYTES) {
      messages.push(concat(parts, size))
      parts = []
      size = 0
    }
    parts.push(length, envelope)
    size += LENGTH_BYTES + envelope.byteLength
  }
  if (size > 0) messages.push(concat(parts, size))
  return messages
}

/** The envelopes of a gossip message, as views into it; `undefined` for anything else. Never throws. */
export function decodeGossipMessage(message: Uint8Array): Uint8Array[] | undefined {
  if (message.byteLength > MAX_GOSSIP_BYTES || message.byteLength === 0) return undefined
  const reader = createByteReader(message)
  const envelopes: Uint8Array[] = []
  while (!reader.isAtEnd() && !reader.hasFailed()) {
    const length = reader.u16()
    if (length === 0 || length > MAX_ENVELOPE_BYTES) return undefined
    envelopes.push(reader.take(length))
  }
  return reader.hasFailed() ? undefined : envelopes
}

function concat(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}
