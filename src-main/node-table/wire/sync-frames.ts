import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { encodeStateVector } from 'yjs'
import { createByteReader } from './bytes.js'
import { MAX_ROWS } from './canonical-update.js'
import { DIGEST_BYTES } from './envelope.js'

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

/** Bytes of one chunk of rows in a sync, at most; a sender keeps below {@link SYNC_CHUNK_TARGET_BYTES}. */
export const MAX_SYNC_CHUNK_BYTES = 1024 * 1024

/** What a sender fills a sync chunk to: below the receive buffers of every transport, so none needs back-pressure. */
export const SYNC_CHUNK_TARGET_BYTES = 256 * 1024

/** Bytes that carry the length of a frame. */
export const FRAME_LENGTH_BYTES = 4

/** Bytes of a frame after its length, at most: a chunk of rows, or 16 bytes a row of state, whichever is more. */
const MAX_FRAME_BYTES = Math.max(MAX_SYNC_CHUNK_BYTES, TIME_BYTES + 16 * MAX_ROWS + 16) + 1

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
      return Buffer.concat([encodeTime(frame.timeMs), encodeStateVector(new Map(frame.clocks))])
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

function decodeStateVector(bytes: Uint8Array): ReadonlyMap<number, number> | undefined {
  if (bytes.byteLength > 16 * MAX_ROWS + 16) return undefined
  const reader = createByteReader(bytes)
  const count = reader.varUint()
  if (count > MAX_ROWS + 1) return undefined
  const clocks = new Map<number, number>()
  for (let index = 0; index < count && !reader.hasFailed(); index += 1) clocks.set(reader.varUint(), reader.varUint())
  return !reader.hasFailed() && reader.isAtEnd() && clocks.size === count ? clocks : undefined
}

/** A libp2p stream that speaks whole frames. Holds back no more than one frame's bytes of what comes in. */
export interface FrameStream {
  /** The next frame. `'closed'` when there is none any more, `'invalid'` for bytes that are no frame. */
  read(): Promise<SyncFrame | 'closed' | 'invalid'>
  /** `false` when the stream is closed. The protocol's turns keep the write buffer at one frame, or so. */
  write(frame: SyncFrame): boolean
  close(): Promise<void>
  abort(reason: string): void
}

/** Speaks frames over `stream`; `signal` ends it. */
export function createFrameStream(stream: Stream, signal: AbortSignal): FrameStream {
  const received = new Uint8ArrayList()
  let isEnded = false
  let isFlooded = false
  let wake: (() => void) | undefined

  const onMessage = ({ data }: StreamMessageEvent): void => {
    received.append(data)
    // The other side waits for its turn: more than a frame and its successor's head is no sync.
    isFlooded ||= received.byteLength > MAX_FRAME_BYTES + 1024
    if (isFlooded) stream.abort(new Error('more bytes than the sync protocol allows'))
    wake?.()
  }
  const onEnd = (): void => {
    isEnded = true
    wake?.()
  }
  const onAbort = (): void => stream.abort(new Error('the sync took too long'))
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onEnd)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })

  function takeFrame(): SyncFrame | 'invalid' | undefined {
    if (received.byteLength < FRAME_LENGTH_BYTES) return undefined
    const length = received.getUint32(0)
    if (length === 0 || length > MAX_FRAME_BYTES) return 'invalid'
    if (received.byteLength < FRAME_LENGTH_BYTES + length) return undefined
    const frame = decodeFrame(received.slice(FRAME_LENGTH_BYTES, FRAME_LENGTH_BYTES + length))
    received.consume(FRAME_LENGTH_BYTES + length)
    return frame ?? 'invalid'
  }

  return {
    async read() {
      for (;;) {
        if (isFlooded) return 'invalid'
        const frame = takeFrame()
        if (frame !== undefined) return frame
        if (isEnded || stream.readableEnded || stream.status !== 'open') return 'closed'
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    write(frame) {
      if (stream.writeStatus !== 'writable') return false
      stream.send(encodeFrame(frame))
      return true
    },
    async close() {
      signal.removeEventListener('abort', onAbort)
      await stream.close({ signal: AbortSignal.timeout(5000) })
    },
    abort(reason) {
      signal.removeEventListener('abort', onAbort)
      stream.abort(new Error(reason))
    },
  }
}
