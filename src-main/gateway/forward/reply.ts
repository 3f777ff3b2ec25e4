import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type AppError, toWireError } from '#shared/errors.js'
import { inMicroBatch } from '../../base/micro-batch.js'
import { HandshakeResponse } from '../../p2p/index.js'
import { createTokenCounter, type TokenCount, type TokenCounter } from '../../telemetry/index.js'
import { type Framing, framingOf, StreamEvents } from '../body/stream-events.js'
import { ChunkWriter, cutShort } from '../listener/client-connection.js'
import { probeHalfClosed } from '../listener/half-closed.js'
import type { Listener } from '../listener/listeners.js'
import { errorBody, errorEvent, type ModelApi } from '../listener/model-api.js'
import type { Headers } from './headers.js'

/** Milliseconds without a byte after which an event-stream client gets a comment, and between two of them. */
const KEEP_ALIVE_COMMENT_MS = 15_000

/** Where an answer goes. */
interface ReplyOptions {
  listener: Listener
  requestId: string
  /** Whose interface the client reads errors of; OpenAI's unless given. */
  api?: ModelApi
  /** Sees the body as it goes by. */
  reader?: { push(chunk: Buffer): void } | undefined
}

/**
 * The client's side of a forwarded request: its head is sent once, its body streams, and whatever goes wrong afterwards
 * never looks like a complete answer.
 */
export class Reply {
  readonly #response: ServerResponse
  readonly #listener: Listener
  readonly #requestId: string
  readonly #api: ModelApi
  #events: StreamEvents | undefined
  #framing: Framing = 'sse'
  #comments: NodeJS.Timeout | undefined
  #finished = false
  #refused = false
  #goneListeners: (() => void)[] | undefined
  /** Body bytes the head declared; undefined where it did not. */
  #declared: number | undefined
  #bytes = 0
  #tokens: TokenCounter | undefined
  readonly #reader: ReplyOptions['reader']
  #keeper: { push(events: Buffer): void } | undefined
  #switched: Duplex | undefined
  #chunks: ChunkWriter | undefined

  constructor(response: ServerResponse, options: ReplyOptions) {
    const { listener, requestId, api = 'openai', reader } = options
    this.#response = response
    this.#listener = listener
    this.#requestId = requestId
    this.#api = api
    this.#reader = reader
    response.once('close', () => {
      this.#stopComments()
      if (!response.writableFinished) this.#announceGone()
    })
    if (listener === 'peer') return
    probeHalfClosed(response, () => {
      if (this.#finished) return 'over'
      if (!this.started) return 'waiting'
      const { atBoundary = false } = this.#events ?? {}
      // Where a length was promised, not a byte more may be sent.
      const isBetween = atBoundary && !response.hasHeader('content-length')
      return (isBetween ? this.#framing : undefined) ?? this.#bytes
    })
  }

  /** True once no one waits for the answer: the client closed its connection before it was complete, or was refused. */
  get gone(): boolean {
    return this.#refused || (this.#response.destroyed && !this.#response.writableFinished)
  }

  /** True once anything was sent to the client; from then on the status can't change. */
  get started(): boolean {
    return this.#response.headersSent
  }

  /** True when the client asks for a WebSocket. */
  get isHandshake(): boolean {
    return this.#response instanceof HandshakeResponse
  }

  /** Answers a WebSocket handshake with a 101 and gives the client's connection away; undefined where that is gone. */
  switchProtocols(headers: Headers): Duplex | undefined {
    if (!(this.#response instanceof HandshakeResponse) || this.gone || this.started) return undefined
    this.#finished = true
    this.#switched = this.#response.switchProtocols(headers)
    return this.#switched
  }

  /** Body bytes handed to the client so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** From now on `keeper` gets what the client gets of a stream of events, whole ones. */
  keepEvents(keeper: { push(events: Buffer): void }): void {
    this.#keeper = keeper
  }

  /**
   * Somebody else goes on with the stream of events that came to an end: forgets what had come of an unfinished event. False
   * where the client has a part of one, or no event stream.
   */
  goOn(): boolean {
    if (this.#finished || this.gone || this.#events?.atBoundary !== true) return false
    this.#events = new StreamEvents(this.#framing)
    return true
  }

  /** Tokens of the answer; null where they are not known. */
  tokens(): TokenCount | null {
    return this.#tokens?.result() ?? null
  }

  /** Calls `listener` when the client goes away, until {@link Reply.offGone}. */
  onGone(listener: () => void): void {
    this.#goneListeners ??= []
    this.#goneListeners.push(listener)
  }

  offGone(listener: () => void): void {
    const at = this.#goneListeners?.indexOf(listener) ?? -1
    if (at !== -1) this.#goneListeners?.splice(at, 1)
  }

  /** Sends comments to an event-stream client for as long as no answer begins, also behind the head of one. */
  startComments(headers: Headers, intervalMs = KEEP_ALIVE_COMMENT_MS): void {
    this.#comments = setInterval(() => {
      if (!this.started) {
        this.#events = new StreamEvents('sse')
        const ours = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...this.#ids() }
        this.#response.writeHead(200, { ...ours, ...headers })
      }
      if (!this.#response.writableNeedDrain) this.#response.write(': waiting\n\n')
    }, intervalMs)
    this.#comments.unref()
  }

  #stopComments(): void {
    clearInterval(this.#comments)
    this.#comments = undefined
  }

  #announceGone(): void {
    for (const listener of this.#goneListeners?.slice() ?? []) listener()
  }

  /** Answers with an error while nothing was sent yet; those who work on an answer hear that the client is gone. */
  #refuse(error: AppError): void {
    this.#refused = true
    const body = JSON.stringify(this.#bodyOf(error))
    this.#response.writeHead(error.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      ...this.#ids(),
      ...(error.retryAfterS === undefined ? {} : { 'retry-after': String(error.retryAfterS) }),
    })
    this.#response.end(body)
    this.#announceGone()
  }

  #bodyOf(error: AppError): object {
    return errorBody(this.#api, error.status, toWireError(error, this.#requestId))
  }

  /** By which a person finds the request again; Anthropic's clients look for a header of their own. */
  #ids(): Headers {
    if (this.#listener === 'peer') return {}
    const ids = { 'x-request-id': this.#requestId }
    return this.#api === 'anthropic' ? { ...ids, 'request-id': this.#requestId } : ids
  }

  /**
   * The answer's head. Behind comments that were already sent only an event stream can follow: false says that this is
   * something else, for {@link Reply.breakOff}. Throws, with nothing sent, what Node has against the headers.
   */
  head(status: number, headers: Headers): boolean {
    const framing = framingOf(headers)
    const isEvents = framing === 'sse'
    // Comments may go on behind the head of such a stream alone, until it begins.
    if (status !== 200 || !isEvents) this.#stopComments()
    if (this.started) {
      if (status !== 200 || !isEvents) return false
      this.#countTokens(status, headers)
      return true
    }
    // An error event of ours must find room behind what the provider sends.
    if (framing !== undefined && this.#listener === 'local') {
      delete headers['content-length']
      this.#framing = framing
      this.#events = new StreamEvents(framing)
    }
    if (this.#api === 'anthropic') Object.assign(headers, this.#ids())
    this.#response.writeHead(status, headers)
    const length = headers['content-length']
    if (typeof length === 'string' && !isEvents) this.#declared = Number(length)
    this.#countTokens(status, headers)
    // An event stream's head must not wait for its first event.
    if (isEvents) this.#flushHead()
    return true
  }

  #flushHead(): void {
    this.#response.flushHeaders()
    this.#chunks = ChunkWriter.of(this.#response)
  }

  #countTokens(status: number, headers: Headers): void {
    if (status >= 300) return
    this.#tokens = createTokenCounter(single(headers['content-type']), single(headers['content-encoding']))
  }

  /** Hands on a piece of the body; false asks to pause until {@link Reply.onDrain}. */
  write(chunk: Buffer): boolean {
    if (this.#comments !== undefined) this.#stopComments()
    this.#tokens?.push(chunk)
    this.#reader?.push(chunk)
    const ready = this.#events === undefined ? chunk : this.#events.push(chunk)
    if (ready === undefined) return true
    this.#bytes += ready.byteLength
    if (this.#events !== undefined) this.#keeper?.push(ready)
    if (this.#chunks !== undefined) return this.#chunks.write(ready)
    if (this.#bytes !== this.#declared) return this.#response.write(ready)
    // The last piece goes out with the end, and a short answer with its head: one write.
    this.#finished = true
    // Streams to peers have micro-batches already (write-batching.ts).
    if (this.#listener === 'peer') this.#response.end(ready)
    else inMicroBatch(() => this.#response.end(ready))
    return true
  }

  /** Calls `listener` once when the client has room again. One that takes no byte for `stallMs` (0: any time) is cut off. */
  onDrain(listener: () => void, stallMs = 0): void {
    const response = this.#response
    let waiting = response.writableLength
    const timer = stallMs === 0 ? undefined : setInterval(cutIfStalled, stallMs).unref()
    function cutIfStalled(): void {
      if (response.writableLength >= waiting) response.destroy()
      waiting = response.writableLength
    }
    const stop = (): void => clearInterval(timer)
    response.once('close', stop).once('drain', () => {
      stop()
      response.off('close', stop)
      listener()
    })
  }

  /** The answer is complete. */
  end(): void {
    if (this.#finished) return
    this.#finished = true
    this.#stopComments()
    this.#chunks?.flush()
    const rest = this.#events?.rest()
    if (rest !== undefined) this.#bytes += rest.byteLength
    if (rest === undefined) this.#response.end()
    else this.#response.end(rest)
  }

  /**
   * The answer broke off. Before its head was sent, the error is the answer. Behind it, an event stream ends in an error
   * event; anything else, and every peer, who will tell its own client, has its connection reset. `provided` is the
   * provider's own error, where it gave one.
   */
  breakOff(error: AppError, provided?: { error: unknown }): void {
    this.#switched?.destroy()
    if (this.#finished) return
    this.#finished = true
    this.#stopComments()
    this.#chunks?.flush()
    if (!this.started) {
      this.#refuse(error)
      return
    }
    if (this.#events?.atBoundary !== true) {
      cutShort(this.#response)
      return
    }
    const told = this.#api === 'anthropic' && provided !== undefined ? { type: 'error', ...provided } : provided
    this.#response.end(errorEvent(this.#framing, told ?? this.#bodyOf(error)))
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
