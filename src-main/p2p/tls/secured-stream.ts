import type { TLSSocket } from 'node:tls'
import type { AbortOptions, MessageStream } from '@libp2p/interface'
import { AbstractMessageStream, type SendResult } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'

/** How long what is still to be written may take when the connection ends, ms. */
export const LAST_WORDS_MS = 1_000

/**
 * What is said over TLS, for a multiplexer. On a connection of TCP its socket lies on the raw one in native code:
 * ciphertext never comes into JavaScript, and a frame is copied once at each end.
 */
export class SecuredStream extends AbstractMessageStream {
  readonly #connection: MessageStream
  readonly #secured: TLSSocket

  constructor(connection: MessageStream, secured: TLSSocket) {
    const { log, inactivityTimeout, maxReadBufferLength, direction } = connection
    super({ log, inactivityTimeout, maxReadBufferLength, direction })
    this.#connection = connection
    this.#secured = secured
    secured.on('data', (bytes: Buffer) => this.onData(bytes))
    secured.on('drain', () => this.safeDispatchEvent('drain'))
    secured.on('error', (error: Error) => connection.abort(error))
    secured.once('end', this.#endSoon)
    connection.addEventListener('close', ({ error, local }) => {
      if (error == null) this.onTransportClosed()
      else if (local === true) this.abort(error)
      else this.onRemoteReset()
    })
  }

  /**
   * The other end has closed. What is still to be written may never go: in Node 24.21 a ticket that meets a reset connection
   * leaves every write behind it waiting, and the socket open.
   */
  readonly #endSoon = (): void => {
    const timer = setTimeout(() => this.#secured.destroy(), LAST_WORDS_MS).unref()
    this.#secured.once('close', () => clearTimeout(timer))
  }

  readonly #uncork = (): void => this.#secured.uncork()

  async close(options?: AbortOptions): Promise<void> {
    await this.#connection.close(options)
  }

  sendPause(): void {
    this.#secured.pause()
  }

  sendResume(): void {
    this.#secured.resume()
  }

  sendReset(error: Error): void {
    this.#connection.abort(error)
  }

  /** What is sent in one turn is one write: each is a record, a system call, and wakes the other end. */
  sendData(data: Uint8ArrayList): SendResult {
    if (this.#secured.writableCorked === 0) {
      this.#secured.cork()
      queueMicrotask(this.#uncork)
    }
    const sentBytes = data.byteLength
    return { sentBytes, canSendMore: this.#secured.write(data.subarray()) }
  }
}
