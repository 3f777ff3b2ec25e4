/**
 * Reads foreign bytes without ever throwing: after a read past the end or an oversized number, {@link ByteReader.hasFailed}
 * is true and stays so, and every further read gives zero or nothing.
 */
export interface ByteReader {
  hasFailed(): boolean
  isAtEnd(): boolean
  u8(): number
  /** Big endian. */
  u16(): number
  /** Big endian. */
  u32(): number
  /** Little-endian base 128 as lib0 writes it, up to 2^53 - 1. */
  varUint(): number
  /** A view of the next bytes, not a copy. */
  take(length: number): Uint8Array
  fail(): void
}

const NOTHING = new Uint8Array(0)

/** A {@link ByteReader} over `bytes`. */
export function createByteReader(bytes: Uint8Array): ByteReader {
  let position = 0
  let failed = false

  function u8(): number {
    const byte = failed ? undefined : bytes[position]
    if (byte === undefined) {
      failed = true
      return 0
    }
    position += 1
    return byte
  }

  return {
    hasFailed: () => failed,
    isAtEnd: () => position === bytes.byteLength,
    u8,
    u16: () => u8() * 0x100 + u8(),
    u32: () => u8() * 0x1000000 + u8() * 0x10000 + u8() * 0x100 + u8(),
    varUint() {
      let value = 0
      for (let factor = 1; factor <= Number.MAX_SAFE_INTEGER; factor *= 0x80) {
        const byte = u8()
        if (failed) return 0
        value += (byte & 0x7f) * factor
        if (value > Number.MAX_SAFE_INTEGER) break
        if (byte < 0x80) return value
      }
      failed = true
      return 0
    },
    take(length) {
      if (failed || length > bytes.byteLength - position) {
        failed = true
        return NOTHING
      }
      position += length
      return bytes.subarray(position - length, position)
    },
    fail() {
      failed = true
    },
  }
}
