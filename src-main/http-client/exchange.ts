import type { Duplex } from 'node:stream'
import { type StallWatch, watchForStall } from '../base/stall-watch.js'
import { asError, ConnectionLostError, IdleTimeoutError, MalformedAnswerError } from './errors.js'
import { readJoined, WaitingBytes } from './joined-bytes.js'
import { sendRequest, type UploadWriter } from './request-writer.js'
import { assertHead, bodyReader, type BodyReader, parseResponseHead, type ResponseHead } from './response-reader.js'
import type { AnswerHandler, HttpExchange, HttpRequest } from './index.js'

/** The connection as its exchange sees it. */
interface Holder {
  keepAliveMs: number | undefined
  release(exchange: Exchange, keep: boolean): void
  giveAway(exchange: Exchange): Duplex
}

/** Informational answers before the final one; servers send two at most. */
const MAX_INFORMATIONAL = 16

/** From the first byte of a head to its last: servers send it in one piece. */
const HEAD_WITHIN_MS = 30_000

const HEAD_END = '\r\n\r\n'

/** Pieces of one read that are handed out as they are: servers that stream put few into one. */
const MAX_PIECES = 16

/** A request that waits for a connection, or has one. */
export interface Outgoing {
  /** What {@link requestHead} made of it. */
  head: string
  readonly request: HttpRequest
  readonly handler: AnswerHandler
}

/** A request under way, and its answer. */
export class Exchange implements HttpExchange {
  readonly #connection: Holder
  readonly socket: Duplex
  readonly #requestHead: string
  readonly #request: HttpRequest
  readonly #handler: AnswerHandler
  readonly #isReused: boolean
  #isOver = false
  #hasAnswer = false
  #isPaused = false
  /** Nothing more will come: what waits is handed out now, asked for or not. */
  #hasEnded = false
  #informational = 0
  /** What came of a head that is not complete, or waits until reading goes on. */
  #held: Buffer | undefined
  readonly #waiting = new WaitingBytes()
  /** Bytes of a head that were looked through for its end. */
  #searched = 0
  #head: ResponseHead | undefined
  #body: BodyReader | undefined
  #upload: UploadWriter | undefined
  #watch: StallWatch | undefined
  /** Of a head that has begun to come. */
  #headWatch: StallWatch | undefined

  constructor(connection: Holder, socket: Duplex, outgoing: Outgoing, isReused: boolean) {
    this.#connection = connection
    this.socket = socket
    this.#requestHead = outgoing.head
    this.#request = outgoing.request
    this.#handler = outgoing.handler
    this.#isReused = isReused
  }

  /** Sends the request. */
  start(): void {
    try {
      this.#handler.onStart(this)
    } catch (error) {
      this.abort(asError(error))
    }
    if (this.#isOver) return
    if (!this.#isPaused) this.#startWatch()
    this.#send()
  }

  #send(): void {
    this.#upload = sendRequest(this.socket, this.#requestHead, this.#request, this)
    if (this.#upload?.isDead === true) this.abort(new Error('its body broke off'))
  }

  abort(error: Error): void {
    if (this.#isOver) return
    this.#settle(false)
    this.#handler.onError(error)
  }

  pause(): void {
    if (this.#isOver || this.#isPaused || this.#hasEnded) return
    this.#isPaused = true
    this.socket.pause()
    // The time-out is the server's, not the reader's.
    this.#stopWatch()
  }

  resume(): void {
    if (this.#isOver || !this.#isPaused) return
    this.#isPaused = false
    this.#startWatch()
    this.#readHeld()
    if (this.#isReading) this.socket.resume()
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
    this.onMoved()
    this.#hasAnswer = true
    const data = this.#held === undefined ? chunk : this.#waiting.joined(this.#held, chunk)
    if (this.#isPaused) {
      this.#held = data
      return
    }
    this.#held = undefined
    this.#tryRead(data)
  }

  /** The other side has ended its half of the connection. */
  onEnd(): void {
    this.#readLast()
    if (this.#isOver) return
    if (this.#head?.framing.kind === 'close') this.#complete(false)
    else this.onLost(undefined)
  }

  onLost(cause: Error | undefined): void {
    this.#readLast()
    this.abort(new ConnectionLostError(this.#isReused && !this.#hasAnswer, cause))
  }

  /** What waits has come before the end, and its reader gets it although it has paused. */
  #readLast(): void {
    this.#hasEnded = true
    this.#isPaused = false
    this.#readHeld()
  }

  #readHeld(): void {
    const held = this.#held
    if (held === undefined) return
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
    let pieces = 0
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
      if (read.piece === undefined) continue
      pieces += 1
      if (pieces <= MAX_PIECES) this.#handler.onData(read.piece)
      else at = readJoined(this.#body, { first: read.piece, data, at }, (joined) => this.#handler.onData(joined))
    }
  }

  /** Heads up to that of the final answer; returns where its body begins. */
  #readHeads(data: Buffer): number {
    let at = 0
    while (this.#body === undefined && !this.#isOver) {
      // Up to three of its last bytes may begin what ends it.
      const end = data.indexOf(HEAD_END, at + Math.max(0, this.#searched - (HEAD_END.length - 1)), 'latin1')
      this.#searched = end === -1 ? data.length - at : 0
      assertHead(data, at, end)
      if (end === -1) {
        this.#held = at === data.length ? undefined : data.subarray(at)
        if (this.#held !== undefined) this.#watchHead()
        return data.length
      }
      this.#stopHeadWatch()
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
      if (this.#informational > MAX_INFORMATIONAL)
        throw new MalformedAnswerError('it sends too many informational responses')
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
    try {
      this.#handler.onUpgrade(headers, socket)
    } catch (error) {
      socket.destroy()
      this.#handler.onError(asError(error))
    }
  }

  /** The answer is complete. `isLast`: no bytes follow it that were never asked for. */
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
    // It may be paused although the exchange is not: when going on was what ended it.
    if (keep && this.socket.isPaused()) this.socket.resume()
    this.#connection.release(this, keep)
  }

  #startWatch(): void {
    const { idleTimeoutMs } = this.#request
    if (idleTimeoutMs > 0) this.#watch = watchForStall(() => this.abort(new IdleTimeoutError()), idleTimeoutMs)
  }

  #stopWatch(): void {
    this.#watch?.stop()
    this.#watch = undefined
    this.#stopHeadWatch()
  }

  #watchHead(): void {
    this.#headWatch ??= watchForStall(() => this.abort(new IdleTimeoutError('its head came by drops')), HEAD_WITHIN_MS)
  }

  #stopHeadWatch(): void {
    this.#headWatch?.stop()
    this.#headWatch = undefined
  }
}
