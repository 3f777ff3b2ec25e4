import { createByteReader } from './bytes.js'
import { MAX_ROWS, MAX_SYNC_CHUNK_BYTES } from '../constants.js'
import * as encoding from 'lib0/encoding'
import { DIGEST_BYTES } from '../view/table-digest.js'

/** What travels in a sync, each as a frame: length of the rest (32 bits big endian), type (8 bits), payload. */
export type SyncFrame =
  /** Opens a sync: the digest of the sender's table, and its Unix milliseconds. */
  | { type: 'hello'; digest: Uint8Array; timeMs: number }
  /** Your table is mine. */
  | { type: 'same'; timeMs: number }
  /** What the sender has, as a Yjs state vector: client id → next clock. */
  | { type: 'state'; clocks: ReadonlyMap<number, number>; timeMs: number }
  /** A canonical update with rows the other side lacks. The next waits for its `taken`. */
  | { type: 'rows'; update: Uint8Array }
  | { type: 'taken' }
  /** In the place of `taken`: nothing of this is of use here (no room, or the clocks differ too much), send no more. */
  | { type: 'enough' }
  | { type: 'end' }

const TYPES = ['hello', 'same', 'state', 'rows', 'taken', 'end', 'enough'] satisfies readonly SyncFrame['type'][]

/** Unix milliseconds on the wire. */
const TIME_BYTES = 8

/** Bytes that carry the length of a frame. */
export const FRAME_LENGTH_BYTES = 4

/** Bytes of a frame after its length, at most: a chunk of rows, or 16 bytes a row of state, whichever is more. */
export const MAX_FRAME_BYTES = Math.max(MAX_SYNC_CHUNK_BYTES, TIME_BYTES + 16 * MAX_ROWS + 16) + 1

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
      return payload.byteLength === TIME_BYTES + DIGEST_BYTES
        ? { type, timeMs: decodeTime(payload), digest: payload.subarray(TIME_BYTES) }
        : undefined
    case 'state': {
      if (payload.byteLength < TIME_BYTES) return undefined
      const clocks = decodeStateVector(payload.subarray(TIME_BYTES))
      return clocks === undefined ? undefined : { type, timeMs: decodeTime(payload), clocks }
    }
    case 'same':
      return payload.byteLength === TIME_BYTES ? { type, timeMs: decodeTime(payload) } : undefined
    case 'rows':
      return payload.byteLength <= MAX_SYNC_CHUNK_BYTES ? { type, update: payload } : undefined
    case 'taken':
    case 'enough':
    case 'end':
      return payload.byteLength === 0 ? { type } : undefined
    case undefined:
      return undefined
  }
}

function encodePayload(frame: SyncFrame): Uint8Array {
  switch (frame.type) {
    case 'hello':
      return Buffer.concat([encodeTime(frame.timeMs), frame.digest])
    case 'state':
      return Buffer.concat([encodeTime(frame.timeMs), encodeStateVector(frame.clocks)])
    case 'same':
      return encodeTime(frame.timeMs)
    case 'rows':
      return frame.update
    case 'taken':
    case 'enough':
    case 'end':
      return new Uint8Array(0)
  }
}

function encodeTime(timeMs: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, Math.round(timeMs))))
  return bytes
}

function decodeTime(payload: Uint8Array): number {
  return Number(new DataView(payload.buffer, payload.byteOffset, TIME_BYTES).getBigUint64(0))
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
