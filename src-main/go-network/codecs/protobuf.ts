/** One field of a protobuf message as it stands in its bytes: a number for a varint, bytes for everything with a length. */
export type ProtoField = { number: number; value: number } | { number: number; value: Uint8Array }

/** Bytes that are no protobuf message. Caught by whoever decodes; it never leaves this room. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError'
}

const VARINT = 0
const FIXED_64 = 1
const BYTES = 2
const FIXED_32 = 5
/** Bytes of the longest varint: 64 bits, 7 in each. */
const MAX_VARINT_BYTES = 10

const text = new TextEncoder()

/** A whole number from 0 to 2^53 - 1 as a varint. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** A field with a length: bytes, text, or a message that is encoded. */
export function bytesField(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? text.encode(value) : value
  return concat([varint(number * 8 + BYTES), varint(bytes.byteLength), bytes])
}

/** A whole number, or a truth value. */
export function numberField(number: number, value: number): Uint8Array {
  return concat([varint(number * 8 + VARINT), varint(value)])
}

/** All of them in one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

/**
 * The fields of a message in the order they come, those with a length as views into it. Numbers above 2^53 lose their last bits. Fields of a fixed
 * width are passed over, as no message here has one.
 * @throws ProtobufError where the bytes are no message, in the middle of the walk
 */
export function* fieldsOf(message: Uint8Array): Generator<ProtoField> {
  let at = 0

  function readVarint(): number {
    let value = 0
    for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
      const byte = message[at]
      if (byte === undefined) throw new ProtobufError('it ends in a number')
      at += 1
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte < 0x80) return value
    }
    throw new ProtobufError('a number that is too long')
  }

  function take(length: number): Uint8Array {
    if (length > message.byteLength - at) throw new ProtobufError('it ends in a field')
    at += length
    return message.subarray(at - length, at)
  }

  while (at < message.byteLength) {
    const key = readVarint()
    const number = Math.floor(key / 8)
    if (number === 0) throw new ProtobufError('a field without a number')
    switch (key % 8) {
      case VARINT:
        yield { number, value: readVarint() }
        break
      case BYTES:
        yield { number, value: take(readVarint()) }
        break
      case FIXED_64:
        take(8)
        break
      case FIXED_32:
        take(4)
        break
      default:
        throw new ProtobufError('a field of no kind')
    }
  }
}

/** Runs a decoder; undefined where the bytes are no message of that kind. */
export function decoded<T>(decode: () => T | undefined): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof ProtobufError) return undefined
    throw error
  }
}

/** The bytes of a field. @throws ProtobufError where it is a number */
export function bytesOf({ value }: ProtoField): Uint8Array {
  if (typeof value === 'number') throw new ProtobufError('a number where there are bytes')
  return value
}

/** The number of a field. @throws ProtobufError where it has a length */
export function numberOf({ value }: ProtoField): number {
  if (typeof value === 'number') return value
  throw new ProtobufError('bytes where there is a number')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a field. @throws ProtobufError where it is none */
export function textOf(field: ProtoField): string {
  try {
    return utf8.decode(bytesOf(field))
  } catch (error) {
    if (error instanceof ProtobufError) throw error
    throw new ProtobufError('text that is not UTF-8')
  }
}
