import { createByteReader } from './bytes.js'
import { MAX_ROWS, MAX_SYNC_CHUNK_BYTES } from './constants.js'
import * as encoding from 'lib0/encoding'
import { DIGEST_BYTES } from './table-digest.js'

/** What travels in a sync, each as a frame: length of the rest (32 bits big endian), type (8 bits), payload. */
export type SyncFrame =
  /** Opens a sync: the digest of the sender's table. */
  | { type: 'hello'; digest: Uint8Array }
  /** Your table is mine. */
  | { type: 'same' }
  /** What the sender has, as a Yjs state vector: client id → next clock. */
  | { type: 'state'; clocks: ReadonlyMap<number, number> }
  /** A canonical update with rows the other side lacks. The next waits for its `taken`. */
  | { type: 'rows'; update: Uint8Array }
  | { type: 'taken' }
  | { type: 'end' }

const TYPES = ['hello', 'same', 'state', 'rows', 'taken', 'end'] as const satisfies readonly SyncFrame['type'][]

/** Bytes that carry the length of a frame. */
export const FRAME_LENGTH_BYTES = 4

/** Bytes of a frame after its length, at most: a chunk of rows, or 16 bytes a row of state, whichever is more. */
export const MAX_FRAME_BYTES = Math.max(MAX_SYNC_CHUNK_BYTES, 16 * MAX_ROWS + 16) + 1

/** A frame as bytes, its length in front. */
export function encodeFrame(frame: SyncFrame): Uint8Array {
  const payload = encodePayload(frame)
  const bytes = new Uint8Array(FRAME_LENGTH_BYTES + 1 + payload.byteLength)
  new DataView(bytes.buffer).setUint32(0, 1 + payload.byteLength)
  bytes[FRAME_LENGTH_BYTES] = TYPES.indexOf(frame.type)
  bytes.set(payload, FRAME_LENGTH_BYTES + 1)
  return bytes
}

/** The frame in `bytes` (without the length in front), or `undefined`. Never throws. */
export function decodeFrame(bytes: Uint8Array): SyncFrame | undefined {
  const type = TYPES[bytes[0] ?? TYPES.length]
  const payload = bytes.subarray(1)
  switch (type) {
    case 'hello':
      return payload.byteLength === DIGEST_BYTES ? { type, digest: payload } : undefined
    case 'state': {
      const clocks = decodeStateVector(payload)
      return clocks === undefined ? undefined : { type, clocks }
    }
    case 'rows':
      return payload.byteLength <= MAX_SYNC_CHUNK_BYTES ? { type, update: payload } : undefined
    case 'same':
    case 'taken':
    case 'end':
      return payload.byteLength === 0 ? { type } : undefined
    case undefined:
      return undefined
  }
}

function encodePayload(frame: SyncFrame): Uint8Array {
  switch (frame.type) {
    case 'hello':
      return frame.digest
    case 'state':
      return encodeStateVector(frame.clocks)
    case 'rows':
      return frame.update
    case 'same':
    case 'taken':
    case 'end':
      return new Uint8Array(0)
  }
}

function encodeStateVector(clocks: ReadonlyMap<number, number>): Uint8Array {
  const out = encoding.createEncoder()
  encoding.writeVarUint(out, clocks.size)
  for (const [clientId, clock] of clocks) {
    encoding.writeVarUint(out, clientId)
    encoding.writeVarUint(out, clock)
  }
  return encoding.toUint8Array(out)
}

function decodeStateVector(bytes: Uint8Array): ReadonlyMap<number, number> | undefined {
  if (bytes.byteLength > 16 * MAX_ROWS + 16) return undefined
  const reader = createByteReader(bytes)
  const count = reader.varUint()
  if (count > MAX_ROWS + 1) return undefined
  const clocks = new Map<number, number>()
  for (let index = 0; index < count && !reader.hasFailed(); index += 1) clocks.set(reader.varUint(), reader.varUint())
  return !reader.hasFailed() && reader.isAtEnd() && clocks.size === count ? clocks : undefined
}
