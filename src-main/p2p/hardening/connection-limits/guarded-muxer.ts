// For @libp2p/yamux 8.0.3: it takes frames of up to 4 GiB, answers every ping, makes a stream of every SYN, and does
// not tell new streams that the connection is saturated. Goes when it bounds these.

import type { MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../../base/clock.js'
import { fullBucket, refilled, type BucketRate } from '../../../base/token-bucket.js'
import type { Log } from '../../../logging/index.js'
import { MAX_INBOUND_STREAMS, MAX_STREAM_WINDOW_BYTES } from '../../host/limits.js'
import type { LivenessProbes } from '../liveness/liveness-probe.js'
import { createWarnOnce } from '../transports/intercept-upgrade.js'

/** What one connection may do to this node, as far as only its multiplexer sees it. */
export interface MuxerLimits {
  /** Streams the peer opens: at once, and a second after that. Opening one costs some 0.5 ms of a core. */
  streams: BucketRate
  /** Streams above that are reset; after so many the connection is cut, as even a reset costs something. */
  refusedStreams: number
  /** Its pings: at once, and a second after that. Each is answered, and nothing says that the answers are read. */
  pings: BucketRate
  /** Bytes of a frame; a peer that keeps to its window sends no more than a window in one. */
  frameBytes: number
  /** Bytes, and pieces, that wait for the other side to read. */
  unreadBytes: number
  unreadPieces: number
}

/** What one connection may do; a gateway that opens a stream for each of 500 requests a second is within it. */
export const MUXER_LIMITS: MuxerLimits = {
  streams: { capacity: MAX_INBOUND_STREAMS, refillPerS: 500 },
  refusedStreams: 1_000,
  pings: { capacity: 100, refillPerS: 10 },
  frameBytes: MAX_STREAM_WINDOW_BYTES + 64 * 1024,
  unreadBytes: 64 * 1024 * 1024,
  unreadPieces: 64 * 1024,
}

/** What is used of @libp2p/yamux' muxer (8.0.3) and of the encrypted connection below it. */
interface Yamux extends StreamMuxer {
  decoder: { buffer: { byteLength: number } }
  onData(data: unknown): void
  incomingStream(id: number): void
  handlePing(header: unknown): void
  ping(): Promise<number>
  sendFrame(header: object): boolean
  streams: MuxedStream[]
}
type MuxedStream = Stream & { onMuxerNeedsDrain?: () => void }
interface Pipe extends MessageStream {
  writeBuffer: { bufs: unknown[]; byteLength: number }
  writableNeedsDrain: boolean
}

const WINDOW_UPDATE = 1
const RESET = 8

/**
 * yamux with limits the library lacks. It collects the whole of a frame, up to 4 GiB, before it looks at the window;
 * answers pings whether or not the answers are read; makes a stream of every SYN; and a stream that is opened while the
 * connection is saturated does not know it, so a thousand of them put a window each into one buffer.
 */
export function guardedMuxer<C>(
  factory: (components: C) => StreamMuxerFactory,
  needs: { log: Log; probes?: LivenessProbes; clock?: MonotonicClock },
  limits: MuxerLimits,
): (components: C) => StreamMuxerFactory {
  const { log, probes, clock = monotonicClock } = needs
  const warn = createWarnOnce({ log }, { tuning: 'muxer-limits' })
  return (components) => {
    const muxers = factory(components)
    const createStreamMuxer = muxers.createStreamMuxer.bind(muxers)
    muxers.createStreamMuxer = (pipe) => {
      const muxer = createStreamMuxer(pipe)
      if (isYamux(muxer) && isPipe(pipe)) guard(muxer, pipe, limits, { probes, clock })
      else warn()
      return muxer
    }
    return muxers
  }
}

function guard(
  muxer: Yamux,
  pipe: Pipe,
  limits: MuxerLimits,
  { probes, clock }: { probes: LivenessProbes | undefined; clock: MonotonicClock },
): void {
  const streamTokens = createBudget(limits.streams, clock)
  const pingTokens = createBudget(limits.pings, clock)
  const { onData, incomingStream, handlePing, createStream } = bound(muxer)
  let refused = 0
  let isHeard = false

  /** The muxer ends the connection with what its handlers of frames throw. */
  muxer.onData = (data) => {
    isHeard = true
    onData(data)
    if (muxer.decoder.buffer.byteLength > limits.frameBytes) throw new Error('a frame is larger than any window')
    if (pipe.writeBuffer.bufs.length > limits.unreadPieces) throw new Error('the other side does not read')
  }
  muxer.handlePing = (header) => {
    if (!pingTokens.take()) throw new Error('too many pings')
    handlePing(header)
  }
  muxer.incomingStream = (id) => {
    if (streamTokens.take()) {
      incomingStream(id)
      tellIfSaturated(muxer.streams.at(-1))
      return
    }
    refused += 1
    if (refused > limits.refusedStreams) throw new Error('too many streams')
    muxer.sendFrame({ type: WINDOW_UPDATE, flag: RESET, streamID: id, length: 0 })
  }
  muxer.createStream = async (options) => {
    const stream = await createStream(options)
    tellIfSaturated(stream)
    return stream
  }

  function tellIfSaturated(stream: MuxedStream | undefined): void {
    if (pipe.writableNeedsDrain) stream?.onMuxerNeedsDrain?.()
  }
  pipe.maxWriteBufferLength = limits.unreadBytes
  probes?.add(muxer, {
    takeHeard() {
      const wasHeard = isHeard
      isHeard = false
      return wasHeard
    },
    ask() {
      // Never given up: yamux takes an answer it no longer waits for as an attack. A pending one is not sent twice.
      muxer.ping().catch(() => undefined)
    },
    unsentBytes: () => pipe.writeBuffer.byteLength,
  })
}

function bound(muxer: Yamux): Pick<Yamux, 'onData' | 'incomingStream' | 'handlePing' | 'createStream'> {
  return {
    onData: muxer.onData.bind(muxer),
    incomingStream: muxer.incomingStream.bind(muxer),
    handlePing: muxer.handlePing.bind(muxer),
    createStream: muxer.createStream.bind(muxer),
  }
}

function createBudget(rate: BucketRate, clock: MonotonicClock): { take(): boolean } {
  let bucket = fullBucket(rate, clock.elapsedMs())
  return {
    take() {
      bucket = refilled(bucket, rate, clock.elapsedMs())
      if (bucket.tokens < 1) return false
      bucket.tokens -= 1
      return true
    },
  }
}

function isYamux(muxer: object): muxer is Yamux {
  const decoder: unknown = Reflect.get(muxer, 'decoder')
  const buffer: unknown = typeof decoder === 'object' && decoder !== null ? Reflect.get(decoder, 'buffer') : undefined
  return (
    typeof (buffer as { byteLength?: unknown } | undefined)?.byteLength === 'number' &&
    ['onData', 'incomingStream', 'handlePing', 'ping', 'sendFrame', 'createStream'].every(
      (name) => typeof Reflect.get(muxer, name) === 'function',
    )
  )
}

function isPipe(pipe: MessageStream): pipe is Pipe {
  const buffer: unknown = Reflect.get(pipe, 'writeBuffer')
  return (
    typeof buffer === 'object' &&
    buffer !== null &&
    Array.isArray(Reflect.get(buffer, 'bufs')) &&
    typeof Reflect.get(pipe, 'writableNeedsDrain') === 'boolean'
  )
}
