/**
 * The two messages of AutoNAT v1 (https://github.com/libp2p/specs/blob/master/autonat/autonat-v1.md) that a client
 * needs; `@libp2p/autonat` does not export its own. Each goes on the wire behind its length.
 */

/** What the other side said about one dial. */
export type DialBackStatus = 'ok' | 'dial-error' | 'refused' | 'other'

const STATUS: Record<number, DialBackStatus> = { 0: 'ok', 100: 'dial-error', 101: 'refused' }
const MAX_VARINT_BYTES = 5

/** `Message{type: DIAL, dial: {peer: {id, addrs}}}`, with its length in front. */
export function encodeDial(peer: { id: Uint8Array; addresses: readonly Uint8Array[] }): Uint8Array {
  const info = Buffer.concat([field(1, peer.id), ...peer.addresses.map((address) => field(2, address))])
  const message = Buffer.concat([Buffer.from([0x08, 0x00]), field(2, field(1, info))])
  return Buffer.concat([varint(message.length), message])
}

/** The status in `Message{dialResponse: {status}}`; undefined while bytes are missing or for anything else. */
export function decodeDialResponse(bytes: Uint8Array): DialBackStatus | undefined {
  const length = readVarint(bytes, 0)
  if (length === undefined || bytes.length < length.next + length.value) return undefined
  const response = fieldOf(bytes.subarray(length.next, length.next + length.value), 3)
  if (!(response instanceof Uint8Array)) return undefined
  const status = fieldOf(response, 1)
  return STATUS[typeof status === 'number' ? status : 0] ?? 'other'
}

function field(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Buffer.from([...bytes, rest])
}

function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0
  for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
    const byte = bytes[at + index]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, next: at + index + 1 }
  }
  return undefined
}

/** The value of a field with that number: a number, or the bytes of a nested message. */
function fieldOf(bytes: Uint8Array, wanted: number): number | Uint8Array | undefined {
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    if (tag === undefined) return undefined
    const content = readVarint(bytes, tag.next)
    if (content === undefined) return undefined
    const number = tag.value >>> 3
    const kind = tag.value & 7
    if (kind === 0) {
      if (number === wanted) return content.value
      at = content.next
    } else if (kind === 2) {
      const end = content.next + content.value
      if (end > bytes.length) return undefined
      if (number === wanted) return bytes.subarray(content.next, end)
      at = end
    } else return undefined
  }
  return undefined
}
