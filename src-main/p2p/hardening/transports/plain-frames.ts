// For @libp2p/yamux 8.0.3 and @libp2p/utils 7.4: a frame passes five lists of pieces, two events and four calls of the
// log, and its stream is searched for among all others. Goes when the muxer finds streams by their number and takes
// what fits as it is.

import type { MessageStream, Stream, StreamMuxerFactory } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import type { Log } from '../../../logging/index.js'
import { createWarnOnce } from './intercept-upgrade.js'

const HEADER_BYTES = 12
const DATA = 0
const WINDOW_UPDATE = 1
const SYN = 1
/** More than one piece is joined with its header up to here; copying larger ones costs more than a list of pieces. */
const JOIN_BELOW_BYTES = 16 * 1024

interface FrameHeader {
  type: number
  flag: number
  streamID: number
  length: number
}
interface Frame {
  header: FrameHeader
  data?: Uint8Array | Uint8ArrayList
}

/** What is used of @libp2p/yamux' muxer (8.0.3). */
interface Yamux {
  abort(error: Error): void
  decoder: { buffer: Uint8ArrayList }
  streams: YamuxStream[]
  onData(data: Uint8Array | Uint8ArrayList): void
  handleFrame(frame: Frame): void
  handleStreamMessage(frame: Frame): void
  incomingStream(id: number): void
  sendFrame(header: FrameHeader, data?: Uint8Array | Uint8ArrayList): boolean
  send(frame: Uint8Array | Uint8ArrayList): boolean
}

/** What is used of the encrypted connection below it. */
interface Pipe extends MessageStream {
  readStatus: string
  remoteWriteStatus: string
  onData(data: Uint8Array | Uint8ArrayList): void
}

/** What is used of its streams. */
interface YamuxStream extends Stream {
  streamId: number
  sendWindowCapacity: number
  sendingData: boolean
  writeBuffer: Uint8ArrayList
  getSendFlags(): number
  sendFrame(header: FrameHeader, data: Uint8Array | Uint8ArrayList): boolean
  handleData(frame: Frame): void
  handleWindowUpdate(frame: Frame): void
}

/**
 * yamux that reads whole frames where they stand in what came, finds a stream by its number, and writes a small frame as
 * one piece. What it says on the wire is the same. Of all muxers' frames, those cut in two take the library's way.
 */
export function plainFrames<C>(
  factory: (components: C) => StreamMuxerFactory,
  needs: { log: Log },
): (components: C) => StreamMuxerFactory {
  const warn = createWarnOnce(needs, { tuning: 'plain-frames' })
  return (components) => {
    const muxers = factory(components)
    const createStreamMuxer = muxers.createStreamMuxer.bind(muxers)
    muxers.createStreamMuxer = (pipe) => {
      const muxer = createStreamMuxer(pipe)
      if (isYamux(muxer) && isPipe(pipe)) {
        simplify(muxer)
        readDirectly(pipe, muxer)
      } else warn()
      return muxer
    }
    return muxers
  }
}

function simplify(muxer: Yamux): void {
  const onData = muxer.onData.bind(muxer)
  const known = new Map<number, YamuxStream>()

  function streamOf(id: number): YamuxStream | undefined {
    const found = known.get(id) ?? muxer.streams.find(({ streamId }) => streamId === id)
    if (found === undefined || known.has(id)) return found
    known.set(id, found)
    found.addEventListener('close', () => void known.delete(id), { once: true })
    return found
  }

  muxer.onData = (data) => {
    // The beginning of a frame waits for its rest; long ones come in many pieces.
    if (muxer.decoder.buffer.byteLength > 0) {
      onData(data)
      return
    }
    const bytes = data.subarray()
    const at = readFrames(muxer, bytes)
    if (at < bytes.length) onData(bytes.subarray(at))
  }
  muxer.handleStreamMessage = (frame) => {
    const { type, flag, streamID } = frame.header
    if ((flag & SYN) !== 0) muxer.incomingStream(streamID)
    const stream = streamOf(streamID)
    if (type === DATA) stream?.handleData(frame)
    else stream?.handleWindowUpdate(frame)
  }
  // Streams take it along when they are made.
  muxer.sendFrame = (header, data) => muxer.send(frameOf(header, data))
}

/** What comes while nothing waits goes to the muxer as it is: the library makes a list and an event of each piece. */
function readDirectly(pipe: Pipe, muxer: Yamux): void {
  const onData = pipe.onData.bind(pipe)
  pipe.onData = (data) => {
    const isFlowing = pipe.readStatus === 'readable' && pipe.remoteWriteStatus === 'writable'
    if (!isFlowing || pipe.readBufferLength > 0 || data.byteLength === 0) {
      onData(data)
      return
    }
    try {
      muxer.onData(data)
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error('its frames can not be read', { cause })
      muxer.abort(error)
      pipe.abort(error)
    }
  }
}

/** Hands out the whole frames at the beginning of some bytes; returns where it ended. What is no frame is left. */
function readFrames(muxer: Yamux, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const type = bytes[at + 1]
    if (bytes[at] !== 0 || (type !== DATA && type !== WINDOW_UPDATE)) return at
    const header = {
      type,
      flag: view.getUint16(at + 2),
      streamID: view.getUint32(at + 4),
      length: view.getUint32(at + 8),
    }
    // Those of no stream are for the library to judge.
    if (header.streamID === 0) return at
    const begin = at + HEADER_BYTES
    if (type === WINDOW_UPDATE) {
      at = begin
      muxer.handleStreamMessage({ header })
      continue
    }
    const end = begin + header.length
    if (end > bytes.length) return at
    at = end
    muxer.handleStreamMessage({ header, data: bytes.subarray(begin, end) })
  }
  return at
}

function frameOf(
  { type, flag, streamID, length }: FrameHeader,
  data?: Uint8Array | Uint8ArrayList,
): Uint8Array | Uint8ArrayList {
  const isJoined = data !== undefined && data.byteLength < JOIN_BELOW_BYTES
  const frame = Buffer.allocUnsafe(HEADER_BYTES + (isJoined ? data.byteLength : 0))
  frame[0] = 0
  frame[1] = type
  frame.writeUInt16BE(flag, 2)
  frame.writeUInt32BE(streamID, 4)
  frame.writeUInt32BE(length, 8)
  if (data === undefined) return frame
  if (!isJoined) return new Uint8ArrayList(frame, data)
  if (data instanceof Uint8Array) {
    frame.set(data, HEADER_BYTES)
    return frame
  }
  let at = HEADER_BYTES
  for (const piece of data) {
    frame.set(piece, at)
    at += piece.byteLength
  }
  return frame
}

/**
 * Sends what the other end has room for as one frame, past the lists of a stream on which nothing waits; false, and
 * nothing sent, where something does, or the stream is of another kind.
 */
export function sendAtOnce(stream: Stream, data: Uint8Array | Uint8ArrayList): boolean {
  if (!isYamuxStream(stream)) return false
  const length = data.byteLength
  const isFree =
    stream.writeStatus === 'writable' &&
    !stream.writableNeedsDrain &&
    !stream.sendingData &&
    stream.writeBuffer.byteLength === 0 &&
    length <= stream.sendWindowCapacity
  if (!isFree) return false
  const flag = stream.getSendFlags()
  stream.sendWindowCapacity -= length
  const canSendMore = stream.sendFrame({ type: DATA, flag, streamID: stream.streamId, length }, data)
  if (!canSendMore) stream.writableNeedsDrain = true
  return true
}

function isYamux(muxer: object): muxer is Yamux {
  const names = ['onData', 'handleFrame', 'handleStreamMessage', 'incomingStream', 'sendFrame', 'send']
  const decoder = Reflect.get(muxer, 'decoder') as { buffer?: { byteLength?: unknown } } | undefined
  return (
    typeof decoder?.buffer?.byteLength === 'number' &&
    Array.isArray(Reflect.get(muxer, 'streams')) &&
    names.every((name) => typeof Reflect.get(muxer, name) === 'function')
  )
}

function isPipe(pipe: object): pipe is Pipe {
  return typeof Reflect.get(pipe, 'onData') === 'function' && typeof Reflect.get(pipe, 'readStatus') === 'string'
}

function isYamuxStream(stream: object): stream is YamuxStream {
  return (
    typeof Reflect.get(stream, 'sendWindowCapacity') === 'number' &&
    typeof Reflect.get(stream, 'getSendFlags') === 'function' &&
    typeof Reflect.get(stream, 'sendFrame') === 'function'
  )
}
