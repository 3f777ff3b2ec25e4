import type { Duplex, Readable } from 'node:stream'
import { UnsendableRequestError } from './errors.js'
import type { RequestFraming } from './request-head.js'

/** Who wants to know what becomes of an upload. */
interface UploadWatcher {
  /** Bytes went out. */
  onMoved(): void
  onSent(): void
  onFailed(error: Error): void
}

/** Sends a streamed body over a connection, no faster than it takes it. */
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

  /** Nobody wants the rest. */
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
    // One that is destroyed with an error still says so, and somebody has to listen.
  }
}
