import type { Duplex } from 'node:stream'
import { watchForStall, type StallWatch } from '../stall-watch.js'
import { bodyReader, type BodyReader } from './body-reader.js'
import { ConnectionLostError, MalformedAnswerError, SilentServerError } from './errors.js'
import type { AnswerHandler, HttpExchange, HttpRequest } from './index.js'
import { framingOf, requestHead, type RequestFraming } from './request-head.js'
import { MAX_HEAD_BYTES, parseResponseHead, type ResponseHead } from './response-head.js'
import { UploadWriter } from './upload-writer.js'

/** The connection as its exchange sees it. */
interface Holder {
  keepAliveMs: number | undefined
  release(exchange: Exchange, keep: boolean): void
  giveAway(exchange: Exchange): Duplex
}

/** Informational answers before the final one; nobody sends more than two. */
const MAX_INFORMATIONAL = 16

/** A body up to here is copied behind its head, so that both are one write. */
const JOIN_BELOW_BYTES = 16 * 1024

const HEAD_END = '\r\n\r\n'

/** A request under way, and its answer. */
export class Exchange implements HttpExchange {
  readonly #connection: Holder
  readonly #socket: Duplex
  readonly #request: HttpRequest
  readonly #handler: AnswerHandler
  readonly #isReused: boolean
  #isOver = false
  #hasAnswer = false
  #isPaused = false
  #informational = 0
  /** What came of a head that is not complete, or waits until reading goes on. */
  #held: Buffer | undefined
  #head: ResponseHead | undefined
  #body: BodyReader | undefined
  #upload: UploadWriter | undefined
  #watch: StallWatch | undefined

  constructor(
    connection: Holder,
    socket: Duplex,
    options: { request: HttpRequest; handler: AnswerHandler; isReused: boolean },
  ) {
    this.#connection = connection
    this.#socket = socket
    this.#request = options.request
    this.#handler = options.handler
    this.#isReused = options.isReused
  }

  /** Sends the request. */
  start(): void {
    let head: string
    let framing: RequestFraming
    try {
      framing = framingOf(this.#request)
      head = requestHead(this.#request, framing)
    } catch (error) {
      // Nothing was sent: the connection is as good as before.
      this.#settle(true)
      this.#handler.onError(asError(error))
      return
    }
    this.#handler.onStart(this)
    if (this.#isOver) return
    this.#startWatch()
    this.#send(head, framing)
  }

  #send(head: string, framing: RequestFraming): void {
    const socket = this.#socket
    const { body } = this.#request
    if (body === null) socket.write(head, 'latin1')
    else if (!Buffer.isBuffer(body)) {
      socket.write(head, 'latin1')
      this.#upload = new UploadWriter(body, framing, socket, this)
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
  }

  abort(error: Error): void {
    if (this.#isOver) return
    this.#settle(false)
    this.#handler.onError(error)
  }

  pause(): void {
    if (this.#isOver || this.#isPaused) return
    this.#isPaused = true
    this.#socket.pause()
    // How long a reader may take is its own affair.
    this.#stopWatch()
  }

  resume(): void {
    if (this.#isOver || !this.#isPaused) return
    this.#isPaused = false
    this.#startWatch()
    this.#readHeld()
    if (this.#isReading) this.#socket.resume()
  }

  get #isReading(): boolean {
    return !this.#isPaused && !this.#isOver
  }

  onMoved(): void {
    if (this.#watch !== undefined) this.#watch.moved = true
  }

  onSent(): void {
    this.#upload = undefined
  }

  onFailed(error: Error): void {
    this.abort(error)
  }

  onData(chunk: Buffer): void {
    if (this.#watch !== undefined) this.#watch.moved = true
    this.#hasAnswer = true
    const held = this.#held
    const data = held === undefined ? chunk : Buffer.concat([held, chunk])
    if (this.#isPaused) {
      this.#held = data
      return
    }
    this.#held = undefined
    this.#tryRead(data)
  }

  /** The other side says no more. */
  onEnd(): void {
    // What waits has come before the end, and its reader gets it although it has paused.
    this.#isPaused = false
    this.#readHeld()
    if (this.#isOver) return
    if (this.#head?.framing.kind === 'close') this.#complete(false)
    else this.onLost(undefined)
  }

  onLost(cause: Error | undefined): void {
    this.abort(new ConnectionLostError(this.#isReused && !this.#hasAnswer, cause))
  }

  #readHeld(): void {
    const held = this.#held
    if (held === undefined || this.#body === undefined) return
    this.#held = undefined
    this.#tryRead(held)
  }

  #tryRead(data: Buffer): void {
    try {
      this.#read(data)
    } catch (error) {
      this.abort(asError(error))
    }
  }

  #read(data: Buffer): void {
    let at = this.#body === undefined ? this.#readHeads(data) : 0
    while (!this.#isOver && this.#body !== undefined) {
      if (this.#body.done) {
        this.#complete(at === data.length)
        return
      }
      if (at === data.length) return
      if (this.#isPaused) {
        this.#held = data.subarray(at)
        return
      }
      const read = this.#body.read(data, at)
      at = read.at
      if (read.piece !== undefined) this.#handler.onData(read.piece)
    }
  }

  /** Heads up to that of the final answer; returns where its body begins. */
  #readHeads(data: Buffer): number {
    let at = 0
    while (this.#body === undefined && !this.#isOver) {
      const end = data.indexOf(HEAD_END, at, 'latin1')
      const bytes = (end === -1 ? data.length : end) - at
      if (bytes > MAX_HEAD_BYTES) throw new MalformedAnswerError('its head is too long')
      if (end === -1) {
        this.#held = bytes === 0 ? undefined : data.subarray(at)
        return data.length
      }
      const head = parseResponseHead(data.toString('latin1', at, end), this.#request.method)
      at = end + HEAD_END.length
      this.#onHead(head, data.subarray(at))
    }
    return at
  }

  #onHead(head: ResponseHead, behind: Buffer): void {
    const { status, headers, framing } = head
    if (status === 101) {
      if (this.#request.upgrade === undefined) throw new MalformedAnswerError('it switches protocols unasked')
      this.#switch(head, behind)
    } else if (status < 200) {
      this.#informational += 1
      if (this.#informational > MAX_INFORMATIONAL) throw new MalformedAnswerError('it has no end of beginnings')
    } else {
      this.#head = head
      this.#body = bodyReader(framing)
      this.#handler.onHead(status, headers)
    }
  }

  #switch({ headers }: ResponseHead, behind: Buffer): void {
    this.#isOver = true
    this.#stopWatch()
    this.#upload?.stop()
    const socket = this.#connection.giveAway(this)
    socket.pause()
    if (behind.length > 0) socket.unshift(behind)
    this.#handler.onUpgrade(headers, socket)
  }

  /** The answer is complete. `isLast`: nothing came behind it, which nobody has asked for. */
  #complete(isLast: boolean): void {
    const { keepAlive = false, keepAliveMs } = this.#head ?? {}
    this.#connection.keepAliveMs = keepAliveMs
    this.#settle(keepAlive && isLast && this.#upload === undefined)
    this.#handler.onEnd()
  }

  #settle(keep: boolean): void {
    this.#isOver = true
    this.#held = undefined
    this.#stopWatch()
    this.#upload?.stop()
    if (keep && this.#isPaused) this.#socket.resume()
    this.#connection.release(this, keep)
  }

  #startWatch(): void {
    const { idleTimeoutMs } = this.#request
    if (idleTimeoutMs > 0) this.#watch = watchForStall(() => this.abort(new SilentServerError()), idleTimeoutMs)
  }

  #stopWatch(): void {
    this.#watch?.stop()
    this.#watch = undefined
  }
}

const asError = (value: unknown): Error => (value instanceof Error ? value : new Error(String(value)))
