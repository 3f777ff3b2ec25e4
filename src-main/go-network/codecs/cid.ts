import { createHash } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'

/** The name of a block, by its hash: the lower-case hexadecimal digits of a CID's bytes. */
export type Cid = string

/** What the CIDs of this network begin with: version 1, dag-pb, sha2-256 of 32 bytes. In a bitswap message it stands alone. */
export const CID_PREFIX = Uint8Array.of(0x01, 0x70, 0x12, 0x20)
const PREFIX_HEX = '01701220'
/** Bytes of such a CID. */
const CID_BYTES = 36

/** The CID of a block with these bytes. */
export function cidOf(block: Uint8Array): Cid {
  return PREFIX_HEX + createHash('sha256').update(block).digest('hex')
}

/** The bytes of a CID. */
export const cidBytes = (cid: Cid): Uint8Array => Uint8Array.from(Buffer.from(cid, 'hex'))

/** The CID in these bytes; undefined for one of another kind, which no block of this network has. */
export function readCid(bytes: Uint8Array): Cid | undefined {
  if (bytes.byteLength !== CID_BYTES || CID_PREFIX.some((byte, at) => bytes[at] !== byte)) return undefined
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** The CID as others write it: `bafybei…`. */
export const cidText = (cid: Cid): string => base32.encode(cidBytes(cid))
