import { type Duplex, Readable } from 'node:stream'
import { UnsendableRequestError } from './errors.js'
import type { HttpRequest } from './index.js'

/** How a body is framed: by a declared length, in chunks, or there is none. */
type RequestFraming = { kind: 'none' } | { kind: 'length'; bytes: number } | { kind: 'chunked' }

/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Lower-case only: `Transfer-Encoding` must not get past the look at `transfer-encoding`. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** RFC 9110 §5.5, with all of latin1: a byte is a character here. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const NOT_IN_PATH = /[^\x21-\x7e\x80-\xff]/

/** Of these a server expects a length even without a body (RFC 9110 §8.6). */
const MEANT_FOR_BODIES = new Set(['POST', 'PUT', 'PATCH'])

const DIGITS = /^\d{1,15}$/

/** @throws UnsendableRequestError for a length that is none */
export function framingOf({ body, headers, method }: HttpRequest): RequestFraming {
  if (body === null) return MEANT_FOR_BODIES.has(method) ? { kind: 'length', bytes: 0 } : { kind: 'none' }
  if (Buffer.isBuffer(body)) return { kind: 'length', bytes: body.byteLength }
  const declared = headers['content-length']
  if (declared === undefined) return { kind: 'chunked' }
  if (typeof declared !== 'string' || !DIGITS.test(declared))
    throw new UnsendableRequestError('its length is no number')
  return { kind: 'length', bytes: Number(declared) }
}

/**
 * The bytes before the body, one a character (latin1).
 * @throws UnsendableRequestError for what would not arrive as it was meant, or as more than one request
 */
export function requestHead(request: HttpRequest): string {
  const { method, path, headers, upgrade } = request
  const framing = framingOf(request)
  // What answers CONNECT is a tunnel, which this client can't read.
  if (!TOKEN.test(method) || method === 'CONNECT') throw new UnsendableRequestError('its method is malformed')
  if (path === '' || NOT_IN_PATH.test(path)) throw new UnsendableRequestError('its path is malformed')
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || name === 'content-length') continue
    if (name === 'connection' || name === 'transfer-encoding' || name === 'upgrade' || !NAME.test(name)) {
      throw new UnsendableRequestError(`its header ${JSON.stringify(name.slice(0, 40))} can not be sent`)
    }
    if (typeof value === 'string') head += headerLine(name, value)
    else for (const single of value) head += headerLine(name, single)
  }
  if (framing.kind === 'length') head += `content-length: ${framing.bytes}\r\n`
  else if (framing.kind === 'chunked') head += 'transfer-encoding: chunked\r\n'
  if (upgrade !== undefined) head += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`
  return `${head}\r\n`
}

function headerLine(name: string, value: string): string {
  if (NOT_IN_VALUE.test(value)) throw new UnsendableRequestError(`the value of its header "${name}" is malformed`)
  return `${name}: ${value}\r\n`
}

/** Follows an upload. */
interface UploadWatcher {
  /** Bytes went out. */
  onMoved(): void
  onSent(): void
  onFailed(error: Error): void
}

/** A body up to here is copied behind its head, so that both are one write. */
const JOIN_BELOW_BYTES = 16 * 1024

/** A body above goes out in slices: one write would not show whether it moves. */
const UPLOAD_ABOVE_BYTES = 1024 * 1024
const SLICE_BYTES = 256 * 1024

/** Sends `head` and the request's body; a body that goes out piece by piece is in the hands of the upload that comes back. */
export function sendRequest(
  socket: Duplex,
  head: string,
  request: HttpRequest,
  watcher: UploadWatcher,
): UploadWriter | undefined {
  const { body } = request
  if (body === null) socket.write(head, 'latin1')
  else if (!Buffer.isBuffer(body)) {
    socket.write(head, 'latin1')
    return new UploadWriter(body, framingOf(request), socket, watcher)
  } else if (body.byteLength > UPLOAD_ABOVE_BYTES) {
    socket.write(head, 'latin1')
    return new UploadWriter(Readable.from(slicesOf(body)), framingOf(request), socket, watcher)
  } else if (body.byteLength <= JOIN_BELOW_BYTES) {
    const message = Buffer.allocUnsafe(head.length + body.byteLength)
    message.write(head, 0, 'latin1')
    body.copy(message, head.length)
    socket.write(message)
  } else {
    socket.cork()
    socket.write(head, 'latin1')
    socket.write(body)
    socket.uncork()
  }
  return undefined
}

function* slicesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.byteLength; at += SLICE_BYTES) yield body.subarray(at, at + SLICE_BYTES)
}

/** A streamed body on its way over a connection, no faster than that takes it. */
export class UploadWriter {
  readonly #body: Readable
  readonly #socket: Duplex
  readonly #watcher: UploadWatcher
  readonly #isChunked: boolean
  /** Bytes that are still to come, where they were announced. */
  #left: number
  #isOver = false

  constructor(body: Readable, framing: RequestFraming, socket: Duplex, watcher: UploadWatcher) {
    this.#body = body
    this.#socket = socket
    this.#watcher = watcher
    this.#isChunked = framing.kind === 'chunked'
    this.#left = framing.kind === 'length' ? framing.bytes : Number.POSITIVE_INFINITY
    socket.on('drain', this.#onDrain)
    body.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  /** True for a body that was over before it was read: it will report nothing. */
  get isDead(): boolean {
    return this.#body.destroyed || this.#body.readableEnded
  }

  /** Sends no more: the rest is not wanted. */
  stop(): void {
    if (this.#isOver) return
    this.#finish()
    this.#body.destroy()
  }

  readonly #onData = (piece: Buffer): void => {
    if (piece.byteLength === 0) return
    this.#left -= piece.byteLength
    if (this.#left < 0) {
      this.#fail(new UnsendableRequestError('its body is longer than its length says'))
      return
    }
    this.#watcher.onMoved()
    if (!this.#write(piece)) this.#body.pause()
  }

  #write(piece: Buffer): boolean {
    const socket = this.#socket
    if (!this.#isChunked) return socket.write(piece)
    socket.cork()
    socket.write(`${piece.byteLength.toString(16)}\r\n`, 'latin1')
    socket.write(piece)
    const hasRoom = socket.write('\r\n', 'latin1')
    socket.uncork()
    return hasRoom
  }

  readonly #onDrain = (): void => {
    this.#watcher.onMoved()
    this.#body.resume()
  }

  readonly #onEnd = (): void => {
    if (this.#left > 0 && !this.#isChunked) {
      this.#fail(new UnsendableRequestError('its body is shorter than its length says'))
      return
    }
    this.#finish()
    if (this.#isChunked) this.#socket.write('0\r\n\r\n', 'latin1')
    this.#watcher.onSent()
  }

  readonly #onError = (error: Error): void => this.#fail(error)

  readonly #onClose = (): void => this.#fail(new Error('its body broke off'))

  #fail(error: Error): void {
    if (this.#isOver) return
    this.stop()
    this.#watcher.onFailed(error)
  }

  #finish(): void {
    this.#isOver = true
    this.#socket.off('drain', this.#onDrain)
    this.#body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    // The error listener stays: a body that is destroyed with an error still emits it.
  }
}
