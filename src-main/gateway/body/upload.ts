import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { BODY_STALL_MS, ClientGoneError } from './read-body.js'
import type { RequestBody } from './request-body.js'

/**
 * A client's streamed body as one attempt sends it. The HTTP client destroys the body of a request that fails, and a
 * destroyed `IncomingMessage` takes the client's connection with it: the client would get a reset in place of an answer.
 * This copy can be destroyed at will. It reads nothing before it is read itself, so an attempt that never got a
 * connection leaves the body whole for the next one.
 */
export class Upload extends Readable {
  readonly #request: IncomingMessage
  #attached = false

  #left: number

  readonly #stallMs: number
  #stallTimer: NodeJS.Timeout | undefined
  #seen = 0
  #seenBefore = -1

  /**
   * Breaks off behind `maxBytes`; a client that declared more was refused before. One that sends no byte for `stallMs`,
   * although it could, is cut off.
   */
  constructor(request: IncomingMessage, maxBytes = Number.POSITIVE_INFINITY, stallMs: number = BODY_STALL_MS) {
    super()
    this.#stallMs = stallMs
    this.#request = request
    this.#left = maxBytes
  }

  readonly #cutIfStalled = (): void => {
    const request = this.#request
    if (this.#seen === this.#seenBefore && !request.isPaused() && !request.readableEnded) request.destroy()
    this.#seenBefore = this.#seen
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#left -= chunk.byteLength
    this.#seen += chunk.byteLength
    if (this.#left < 0) this.destroy(new Error('the body is larger than the owner allows'))
    else if (!this.push(chunk)) this.#request.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onClose = (): void => {
    if (!this.#request.readableEnded) this.destroy(new ClientGoneError())
  }

  override _read(): void {
    const request = this.#request
    if (!this.#attached) {
      this.#attached = true
      if (request.destroyed && !request.readableEnded) {
        this.destroy(new ClientGoneError())
        return
      }
      this.#stallTimer = setInterval(this.#cutIfStalled, this.#stallMs).unref()
      request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onClose).on('close', this.#onClose)
    }
    request.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const request = this.#request
    clearInterval(this.#stallTimer)
    if (this.#attached) {
      request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onClose).off('close', this.#onClose)
      request.pause()
    }
    // Errors of the attempt itself are not repeated: it knows them already.
    callback(error instanceof ClientGoneError || this.#left < 0 ? error : null)
  }
}

/** A request's body as the HTTP client takes it. */
export function bodyToSend(body: RequestBody): Buffer | Upload | null {
  if (body.kind === 'none') return null
  return body.kind === 'read' ? body.bytes : new Upload(body.stream, body.maxBytes)
}
