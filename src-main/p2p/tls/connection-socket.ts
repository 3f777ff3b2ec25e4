import { once } from 'node:events'
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { MessageStream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { isUint8ArrayList, Uint8ArrayList } from 'uint8arraylist'
import { LAST_WORDS_MS } from './secured-stream.js'

type WriteCallback = (error?: Error | null) => void

/**
 * A connection without a socket of its own (WebSocket, or one through a relay), as TLS takes one. Its ciphertext passes
 * JavaScript, once each way.
 */
export class ConnectionSocket extends Duplex {
  readonly #connection: MessageStream
  #awaitingDrain: WriteCallback | undefined
  #isPaused = false

  constructor(connection: MessageStream) {
    super({ allowHalfOpen: false })
    this.#connection = connection
    connection.addEventListener('drain', this.#onDrain)
    connection.addEventListener('close', this.#onClose)
    connection.addEventListener('message', this.#onMessage)
  }

  readonly #onMessage = ({ data }: StreamMessageEvent): void => {
    let wantsMore = true
    const pieces = isUint8ArrayList(data) ? data : [data]
    for (const { buffer, byteOffset, byteLength } of pieces)
      wantsMore = this.push(Buffer.from(buffer, byteOffset, byteLength))
    // What comes then waits in the connection, which bounds it.
    if (wantsMore || this.#isPaused || this.#connection.status !== 'open') return
    this.#isPaused = true
    this.#connection.pause()
  }

  readonly #onDrain = (): void => {
    const written = this.#awaitingDrain
    this.#awaitingDrain = undefined
    written?.()
  }

  readonly #onClose = ({ error }: StreamCloseEvent): void => {
    this.#connection.removeEventListener('message', this.#onMessage)
    this.destroy(error ?? undefined)
  }

  override _read(): void {
    if (!this.#isPaused || this.#connection.status !== 'open') return
    this.#isPaused = false
    this.#connection.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#send(new Uint8ArrayList(chunk), callback)
  }

  override _writev(chunks: { chunk: Buffer }[], callback: WriteCallback): void {
    this.#send(new Uint8ArrayList(...chunks.map(({ chunk }) => chunk)), callback)
  }

  #send(data: Uint8ArrayList, callback: WriteCallback): void {
    try {
      if (this.#connection.send(data)) callback()
      else this.#awaitingDrain = callback
    } catch (error) {
      callback(error instanceof Error ? error : new Error('the connection takes nothing', { cause: error }))
    }
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    const connection = this.#connection
    this.#awaitingDrain = undefined
    if (connection.status === 'open') {
      const reason = error ?? new Error('its encryption has ended')
      if (error === null && this.writableFinished) connection.close().catch(() => connection.abort(reason))
      else connection.abort(reason)
    }
    callback(error)
  }
}

/** Has the connection close behind what TLS still has to write. */
export function closeBehind(connection: MessageStream, secured: TLSSocket): void {
  const close = connection.close.bind(connection)
  connection.close = async (options) => {
    if (connection.status === 'open' && !secured.destroyed && !secured.writableFinished) {
      const signal = options?.signal ?? AbortSignal.timeout(LAST_WORDS_MS)
      secured.end()
      // Of one that ends in another way nothing more can be written.
      await once(secured, 'finish', { signal }).catch(() => undefined)
    }
    await close(options)
  }
}
