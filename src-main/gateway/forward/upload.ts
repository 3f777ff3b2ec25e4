import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { ClientGoneError } from './request-body.js'

/**
 * A client's streamed body as one try sends it. undici destroys the body of a request that fails, and a destroyed
 * `IncomingMessage` takes the client's connection with it: the client would get a reset in place of an answer. This copy
 * can be destroyed at will. It reads nothing before it is read itself, so a try that never got a connection leaves the
 * body whole for the next one.
 */
export class Upload extends Readable {
  readonly #request: IncomingMessage
  #attached = false

  constructor(request: IncomingMessage) {
    super()
    this.#request = request
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#request.pause()
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
      request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onClose).on('close', this.#onClose)
    }
    request.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const request = this.#request
    if (this.#attached) {
      request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onClose).off('close', this.#onClose)
      request.pause()
    }
    // Any other error came from the try itself, which knows it already.
    callback(error instanceof ClientGoneError ? error : null)
  }
}
