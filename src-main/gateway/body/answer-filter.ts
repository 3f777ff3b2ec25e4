import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { AnswerHandler, HttpClient, HttpExchange } from '../../http-client/index.js'
import type { NameFilter } from './name-filter.js'

/** A body whose length is known and not above this is filtered whole, and keeps a length. */
const MAX_WHOLE_BYTES = 64 * 1024

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/**
 * The same server with answers in which private names do not stand, in no header and nowhere in the body: many servers
 * write the path of the model's file beside each piece of an answer, and it may hold the owner's name. Answers are asked
 * for without compression; one that comes compressed all the same is decoded.
 */
export function hidingNames(client: Pick<HttpClient, 'send'>, names: NameFilter): Pick<HttpClient, 'send'> {
  if (names.isEmpty) return client
  return {
    send(request, handler) {
      const headers = { ...request.headers, 'accept-encoding': 'identity' }
      client.send({ ...request, headers }, new AnswerFilter(handler, names))
    },
  }
}

interface WaitingAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** Bytes the body will have. */
  length: number
  pieces: Buffer[]
  bytes: number
}

/** An answer on its way through the filter, and the exchange as its reader sees it. */
class AnswerFilter implements AnswerHandler, HttpExchange {
  readonly #reader: AnswerHandler
  readonly #names: NameFilter
  #exchange: HttpExchange | undefined
  /** For a body that comes compressed; made with its first piece, as an answer to HEAD has none. */
  #createDecoder: (() => Transform) | undefined
  #decoder: Transform | undefined
  /** What may be the beginning of a name. */
  #held: Buffer | undefined
  /** A head that waits for its whole body. */
  #waiting: WaitingAnswer | undefined
  /** All has come from the server. */
  #isReceived = false
  #isOver = false
  /** The reader has asked for a pause. */
  #isPaused = false

  constructor(reader: AnswerHandler, names: NameFilter) {
    this.#reader = reader
    this.#names = names
  }

  onStart(exchange: HttpExchange): void {
    this.#exchange = exchange
    this.#reader.onStart(this)
  }

  onUpgrade(headers: IncomingHttpHeaders, socket: Duplex): void {
    this.#reader.onUpgrade(this.#filterHeaders(headers), socket)
  }

  onHead(status: number, from: IncomingHttpHeaders): void {
    const headers = this.#filterHeaders(from)
    this.#createDecoder = decoderOf(headers['content-encoding'])
    const length = Number(headers['content-length'])
    if (this.#createDecoder === undefined && length <= MAX_WHOLE_BYTES && !isEventStream(headers)) {
      this.#waiting = { status, headers, length, pieces: [], bytes: 0 }
      return
    }
    const { 'content-length': _length, 'content-encoding': _coding, ...rest } = headers
    this.#reader.onHead(status, rest)
  }

  onData(piece: Buffer): void {
    if (this.#waiting !== undefined) {
      this.#waiting.pieces.push(piece)
      this.#waiting.bytes += piece.length
      if (this.#waiting.bytes >= this.#waiting.length) this.#passWhole(this.#waiting)
      return
    }
    if (this.#createDecoder === undefined) {
      this.#pass(piece)
      return
    }
    this.#decoder ??= this.#decodeWith(this.#createDecoder())
    if (!this.#decoder.write(piece)) this.#exchange?.pause()
  }

  onEnd(): void {
    this.#isReceived = true
    if (this.#waiting !== undefined) this.#passWhole(this.#waiting)
    if (this.#decoder === undefined) this.#finish()
    else this.#decoder.end()
  }

  onError(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#decoder?.destroy()
    this.#reader.onError(error)
  }

  abort(error: Error): void {
    if (this.#isReceived) this.onError(error)
    else this.#exchange?.abort(error)
  }

  pause(): void {
    this.#isPaused = true
    this.#decoder?.pause()
    this.#exchange?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#decoder?.resume()
    if (this.#decoder?.writableNeedDrain !== true) this.#exchange?.resume()
  }

  #filterHeaders(from: IncomingHttpHeaders): IncomingHttpHeaders {
    const to: IncomingHttpHeaders = {}
    for (const name in from) {
      const value = from[name]
      // It would be the digest of another body.
      if (name === 'content-digest') continue
      if (typeof value === 'string') to[name] = this.#names.filterHeader(value)
      else if (value !== undefined) to[name] = value.map((one) => this.#names.filterHeader(one))
    }
    return to
  }

  #decodeWith(decoder: Transform): Transform {
    decoder.on('data', (piece: Buffer) => {
      try {
        this.#pass(piece)
      } catch (error) {
        this.abort(error instanceof Error ? error : new Error(String(error)))
      }
    })
    decoder.on('drain', () => {
      if (!this.#isPaused) this.#exchange?.resume()
    })
    decoder.on('end', () => this.#finish())
    decoder.on('error', () => this.abort(new Error('its answer is not in the coding it names')))
    if (this.#isPaused) decoder.pause()
    return decoder
  }

  #pass(piece: Buffer): void {
    const data = this.#held === undefined ? piece : Buffer.concat([this.#held, piece])
    const { ready, held } = this.#names.filter(data, false)
    this.#held = held
    if (ready.length > 0) this.#reader.onData(ready)
  }

  #passWhole({ status, headers, pieces, bytes }: WaitingAnswer): void {
    this.#waiting = undefined
    const [first] = pieces
    // An answer to HEAD tells the length of a body it does not have.
    if (first === undefined) {
      this.#reader.onHead(status, headers)
      return
    }
    const { ready } = this.#names.filter(pieces.length === 1 ? first : Buffer.concat(pieces, bytes), true)
    this.#reader.onHead(status, { ...headers, 'content-length': String(ready.length) })
    this.#reader.onData(ready)
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#held !== undefined) {
      const { ready } = this.#names.filter(this.#held, true)
      this.#reader.onData(ready)
    }
    this.#reader.onEnd()
  }
}

/** @throws Error for a coding that is not known: what is in it can't be read */
function decoderOf(coding: string | undefined): (() => Transform) | undefined {
  const name = coding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return undefined
  const create = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined
  if (create === undefined) throw new Error('its answer is in a coding that was not asked for')
  return create
}

const isEventStream = (headers: IncomingHttpHeaders): boolean =>
  headers['content-type']?.toLowerCase().startsWith('text/event-stream') === true
