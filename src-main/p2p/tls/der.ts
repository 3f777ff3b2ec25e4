/** Tags of ASN.1 that a certificate of libp2p is made of (X.690 §8.1.2). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
} as const

/** One value of DER: its tag, what is in it, and all of its bytes. */
export interface DerValue {
  tag: number
  content: Buffer
  whole: Buffer
}

const SHORT_LENGTH = 0x80
/** More bytes than a length of 24 bits says do not come in a handshake. */
const MAX_LENGTH_BYTES = 3

/** A value of these contents behind each other. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  if (content.length < SHORT_LENGTH) return Buffer.concat([Buffer.from([tag, content.length]), content])
  const digits = content.length.toString(16)
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, SHORT_LENGTH | length.length]), length, content])
}

/**
 * The values in some bytes, which must be whole.
 * @throws RangeError for anything that is not DER
 */
export function derValues(bytes: Buffer): DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at]
    const first = bytes[at + 1]
    if (tag === undefined || first === undefined) throw new RangeError('a value ends too early')
    let begin = at + 2
    let length = first
    if (first >= SHORT_LENGTH) {
      const count = first - SHORT_LENGTH
      if (count === 0 || count > MAX_LENGTH_BYTES || begin + count > bytes.length) {
        throw new RangeError('a length is none')
      }
      length = bytes.readUIntBE(begin, count)
      begin += count
    }
    const end = begin + length
    if (end > bytes.length) throw new RangeError('a value ends too early')
    values.push({ tag, content: bytes.subarray(begin, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return values
}

/**
 * The values in the only one there is, which has that tag.
 * @throws RangeError where it is anything else
 */
export function derMembers(bytes: Buffer, tag: number): DerValue[] {
  const [only, ...others] = derValues(bytes)
  if (only?.tag !== tag || others.length > 0) throw new RangeError('a value is not what it should be')
  return derValues(only.content)
}
