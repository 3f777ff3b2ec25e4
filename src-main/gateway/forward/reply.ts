import type { ServerResponse } from 'node:http'
import { toWireError, type AppError } from '#shared/errors.js'
import type { Door } from '../door.js'
import type { Headers } from './headers.js'
import { SseEvents } from './sse-events.js'

/** Silence after which an event-stream client is told that its request is alive, and between such comments. */
export const KEEP_ALIVE_COMMENT_MS = 15_000

/**
 * The client's side of a forwarded request: its head is sent once, its body streams, and whatever goes wrong afterwards
 * never looks like a complete answer.
 */
export class Reply {
  readonly #response: ServerResponse
  readonly #door: Door
  readonly #requestId: string
  #events: SseEvents | undefined
  #comments: NodeJS.Timeout | undefined
  #finished = false
  #goneListeners = new Set<() => void>()
  #bytes = 0

  constructor(response: ServerResponse, options: { door: Door; requestId: string }) {
    this.#response = response
    this.#door = options.door
    this.#requestId = options.requestId
    response.once('close', () => {
      this.#stopComments()
      if (response.writableFinished) return
      for (const listener of this.#goneListeners) listener()
    })
  }

  /** True once the client closed its connection before the answer was complete. */
  get gone(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished
  }

  /** True once anything was sent to the client; from then on the status can't change. */
  get started(): boolean {
    return this.#response.headersSent
  }

  /** Body bytes handed to the client so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Calls `listener` when the client goes away; returns the way to stop listening. */
  onGone(listener: () => void): () => void {
    this.#goneListeners.add(listener)
    return () => this.#goneListeners.delete(listener)
  }

  /** Sends comments to an event-stream client for as long as no answer begins. */
  startComments(headers: Headers, intervalMs = KEEP_ALIVE_COMMENT_MS): void {
    this.#comments = setInterval(() => {
      if (!this.started) {
        this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers })
      }
      if (!this.#response.writableNeedDrain) this.#response.write(': waiting\n\n')
    }, intervalMs)
    this.#comments.unref()
  }

  #stopComments(): void {
    clearInterval(this.#comments)
    this.#comments = undefined
  }

  /**
   * The answer's head. Behind comments that were already sent only an event stream can follow: any other answer is
   * turned into an error event, and false says that its body is not wanted.
   */
  head(status: number, headers: Headers): boolean {
    this.#stopComments()
    const isEvents = isEventStream(headers) && headers['content-encoding'] === undefined
    if (this.started) {
      if (status === 200 && isEvents) {
        this.#events = new SseEvents()
        return true
      }
      this.#events = new SseEvents()
      return false
    }
    this.#response.writeHead(status, headers)
    // An event stream's head must not wait for its first event.
    if (isEvents) {
      this.#response.flushHeaders()
      if (this.#door === 'local') this.#events = new SseEvents()
    }
    return true
  }

  /** Hands on a piece of the body; false asks to pause until {@link Reply.onDrain}. */
  write(chunk: Buffer): boolean {
    const ready = this.#events === undefined ? chunk : this.#events.push(chunk)
    if (ready === undefined) return true
    this.#bytes += ready.byteLength
    return this.#response.write(ready)
  }

  /** Calls `listener` once when the client has room again. */
  onDrain(listener: () => void): void {
    this.#response.once('drain', listener)
  }

  /** The answer is complete. */
  end(): void {
    if (this.#finished) return
    this.#finished = true
    this.#stopComments()
    const rest = this.#events?.rest()
    if (rest !== undefined) this.#bytes += rest.byteLength
    if (rest === undefined) this.#response.end()
    else this.#response.end(rest)
  }

  /**
   * The answer broke off after its head was sent. An event stream is told so in an error event, anything else (and every
   * other peer, who will say it to its own client) has its connection reset.
   */
  breakOff(error: AppError): void {
    if (this.#finished) return
    this.#finished = true
    this.#stopComments()
    if (this.#events === undefined) {
      cutShort(this.#response)
      return
    }
    this.#response.end(`event: error\ndata: ${JSON.stringify(toWireError(error, this.#requestId))}\n\n`)
  }
}

/**
 * Ends the connection without ending the answer. What was written before still arrives; a body in chunks lacks its last
 * one, and any other is reset, so that nobody takes it for complete.
 */
function cutShort(response: ServerResponse): void {
  const { socket } = response
  if (socket === null) response.destroy()
  else if (response.chunkedEncoding) socket.destroySoon()
  else socket.resetAndDestroy()
}

function isEventStream(headers: Headers): boolean {
  const type = headers['content-type']
  return typeof type === 'string' && type.toLowerCase().startsWith('text/event-stream')
}
