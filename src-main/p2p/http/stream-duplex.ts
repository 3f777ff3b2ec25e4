import { Duplex } from 'node:stream'
import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { isUint8ArrayList, Uint8ArrayList } from 'uint8arraylist'
import { sendAtOnce } from '../hardening/transports/plain-frames.js'

/** HTTP/1.1 on a libp2p stream, as go-libp2p-http speaks it. */
export const HTTP_PROTOCOL = '/libp2p-http'
/** The same under the name that the libp2p specification gives it. Peers are asked under the other, which all have. */
export const STANDARD_HTTP_PROTOCOL = '/http/1.1'

/** Streams of this protocol per connection; js-libp2p's defaults (32 in, 64 out) fail at 32 concurrent requests. */
export const MAX_HTTP_STREAMS = 10_000

/** Node-side buffer of a stream before back-pressure sets in. */
const HIGH_WATER_MARK_BYTES = 256 * 1024

/** Must not be below the muxer's window (4 MiB), or a paused stream is aborted while its window is still open. */
const STREAM_READ_BUFFER_BYTES = 8 * 1024 * 1024

/** How long a stream whose writing end is closed waits for the other side's end. */
const LINGER_MS = 2_000

/** A server keeps an idle stream this long; clients give up first ({@link CLIENT_KEEP_ALIVE_MS}) to avoid the race. */
export const SERVER_KEEP_ALIVE_MS = 65_000
export const CLIENT_KEEP_ALIVE_MS = 30_000

/** Concurrent streams (one request each) to one peer; below the QUIC stream limit. */
export const MAX_STREAMS_PER_PEER = 4_096

/** The connection under a socket of a peer; undefined for any other socket. */
export function connectionUnder(socket: Duplex | undefined): Connection | undefined {
  return socket instanceof StreamDuplex ? socket.connection : undefined
}

/**
 * Writes to the socket of a peer past its queue; false, and nothing written, where anything waits in it, and for any other
 * socket. A write by the queue takes three times as long.
 */
export function writeAtOnce(socket: Duplex, chunk: Buffer): boolean {
  return socket instanceof StreamDuplex && socket.writeAtOnce(chunk)
}

type WriteCallback = (error?: Error | null) => void

/** A fresh error with the code Node's HTTP stack expects from a dead socket. */
function socketError(message: string, code: 'ECONNRESET' | 'EPIPE', cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code })
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * A libp2p stream in the clothes of a `net.Socket`: back-pressure both ways, half-close, reset on destroy, so that
 * `node:http` runs on it unchanged.
 *
 * Three faults of `@libp2p/utils` 7.4 streams are worked around here:
 * `onDrain()` resolves only once (so the `idle` event is awaited instead); `pause()` called by a `message` listener
 * during `resume()` is undone by it (so it is deferred); and `send()` from an `idle` listener strands its bytes
 * (so the next write goes through a microtask).
 */
export class StreamDuplex extends Duplex {
  readonly remoteAddress: string
  readonly remoteFamily = 'libp2p'
  readonly remotePort = 0
  readonly connecting = false
  readonly pending = false
  bytesRead = 0
  bytesWritten = 0
  /** The libp2p connection under the stream. */
  readonly connection: Connection
  readonly #stream: Stream
  #ended = false
  #streamDead = false
  #resuming = false
  #pauseWanted = false
  #awaitingIdle: WriteCallback | undefined
  #idleTimeoutMs = 0
  #idleTimer: NodeJS.Timeout | undefined
  #lastActivity = performance.now()

  constructor(stream: Stream, connection: Connection) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: HIGH_WATER_MARK_BYTES,
      writableHighWaterMark: HIGH_WATER_MARK_BYTES,
    })
    this.#stream = stream
    this.connection = connection
    this.remoteAddress = connection.remotePeer.toString()
    stream.maxReadBufferLength = Math.max(stream.maxReadBufferLength, STREAM_READ_BUFFER_BYTES)
    stream.addEventListener('idle', this.#onIdle)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('close', this.#onClose)
    stream.addEventListener('message', this.#onMessage)
    this.#takeDirectly(stream)
  }

  /** What comes while nothing waits is taken as it is: an event for each piece costs more than the piece. */
  #takeDirectly(stream: Stream & { onData?: (data: Uint8Array | Uint8ArrayList) => void }): void {
    const onData = stream.onData?.bind(stream)
    if (onData === undefined) return
    stream.onData = (data) => {
      const isFlowing = stream.readStatus === 'readable' && stream.remoteWriteStatus === 'writable'
      if (isFlowing && stream.readBufferLength === 0 && data.byteLength > 0) this.#take(data)
      else onData(data)
    }
  }

  readonly #onMessage = ({ data }: StreamMessageEvent): void => this.#take(data)

  #take(data: Uint8Array | Uint8ArrayList): void {
    this.#lastActivity = performance.now()
    this.bytesRead += data.byteLength
    let wantsMore = true
    if (isUint8ArrayList(data)) for (const chunk of data) wantsMore = this.push(asBuffer(chunk))
    else wantsMore = this.push(asBuffer(data))
    if (wantsMore || this.#stream.readStatus !== 'readable') return
    if (this.#resuming) this.#pauseWanted = true
    else this.#stream.pause()
  }

  readonly #onEnd = (): void => {
    if (this.#ended) return
    this.#ended = true
    this.push(null)
  }

  readonly #onIdle = (): void => {
    const written = this.#awaitingIdle
    if (written === undefined) return
    this.#awaitingIdle = undefined
    queueMicrotask(written)
  }

  readonly #onClose = (event: StreamCloseEvent): void => {
    if (event.error != null) {
      this.#streamDead = true
      this.destroy(socketError(event.error.message, 'ECONNRESET', event.error))
      return
    }
    if (this.#stream.readBufferLength === 0) this.#onEnd()
    const written = this.#awaitingIdle
    this.#awaitingIdle = undefined
    written?.(socketError('the stream was closed', 'EPIPE'))
  }

  override _read(): void {
    if (this.#stream.readStatus !== 'paused' || this.#resuming) return
    this.#resuming = true
    this.#pauseWanted = false
    try {
      this.#stream.resume()
    } finally {
      this.#resuming = false
      this.#pauseIfWanted()
    }
  }

  /** `resume()` has just run message listeners, which may have filled our buffer or closed the stream. */
  #pauseIfWanted(): void {
    if (this.#pauseWanted && this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  /** See {@link writeAtOnce}. */
  writeAtOnce(chunk: Buffer): boolean {
    const isFree = this.writableLength === 0 && this.writableCorked === 0 && this.writable
    if (!isFree || !sendAtOnce(this.#stream, chunk)) return false
    this.#lastActivity = performance.now()
    this.bytesWritten += chunk.length
    return true
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#send(new Uint8ArrayList(chunk), callback)
  }

  override _writev(chunks: { chunk: Buffer }[], callback: WriteCallback): void {
    const list = new Uint8ArrayList()
    for (const { chunk } of chunks) list.append(chunk)
    this.#send(list, callback)
  }

  #send(data: Uint8ArrayList, callback: WriteCallback): void {
    this.#lastActivity = performance.now()
    this.bytesWritten += data.byteLength
    try {
      if (!sendAtOnce(this.#stream, data)) this.#stream.send(data)
    } catch (error) {
      callback(socketError('the stream can not be written to', 'EPIPE', error))
      return
    }
    if (this.#stream.writeBufferLength === 0) callback()
    else this.#awaitingIdle = callback
  }

  override _final(callback: WriteCallback): void {
    this.#stream.close().then(
      () => callback(),
      (error: unknown) => callback(socketError('the stream was cut while closing', 'EPIPE', error)),
    )
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    clearTimeout(this.#idleTimer)
    this.#awaitingIdle = undefined
    const stream = this.#stream
    const open = !this.#streamDead && (stream.status === 'open' || stream.status === 'closing')
    if (open) {
      const cleanWrite = error == null && this.writableFinished
      if (!cleanWrite) stream.abort(error ?? new Error('socket destroyed'))
      else if (!this.#ended && stream.remoteWriteStatus !== 'closed') this.#linger()
    }
    callback(error)
  }

  /** Our end is closed; drop what still comes, and reset the stream if the other side never finishes. */
  #linger(): void {
    const stream = this.#stream
    stream
      .closeRead()
      .catch((error: unknown) => stream.abort(error instanceof Error ? error : new Error('closeRead failed')))
    const timer = setTimeout(() => {
      if (stream.status === 'open') stream.abort(new Error('the other side did not close'))
    }, LINGER_MS)
    timer.unref()
    stream.addEventListener('close', () => clearTimeout(timer), { once: true })
  }

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  resetAndDestroy(): this {
    return this.destroy(socketError('reset', 'ECONNRESET'))
  }

  /** As `net.Socket.setTimeout`: emits `timeout` after `ms` without traffic; 0 turns it off and drops the listener. */
  setTimeout(ms: number, listener?: () => void): this {
    this.#idleTimeoutMs = ms
    if (listener !== undefined) {
      if (ms > 0) this.once('timeout', listener)
      else this.removeListener('timeout', listener)
    }
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
    if (ms > 0) this.#armIdleTimer(ms)
    return this
  }

  #armIdleTimer(ms: number): void {
    this.#idleTimer = setTimeout(() => {
      const left = this.#idleTimeoutMs - (performance.now() - this.#lastActivity)
      if (left > 5) this.#armIdleTimer(left)
      else this.emit('timeout')
    }, ms)
    this.#idleTimer.unref()
  }

  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  address(): Record<string, never> {
    return {}
  }
}
