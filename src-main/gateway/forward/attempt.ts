import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError } from '#shared/errors.js'
import type { AnswerHandler, HttpClient, HttpExchange, HttpRequest } from '../../http-client/index.js'
import { ClientGoneError } from '../body/read-body.js'
import type { RequestBody } from '../body/request-body.js'
import { Upload } from '../body/upload.js'
import { type AttemptFailure, breakError, failureBeforeHeaders, reasonOf } from './failures.js'
import { type HeaderPolicy, type Headers, responseHeaders } from './headers.js'
import type { Reply } from './reply.js'

/** Where one attempt goes and what it says there. */
export interface AttemptTarget {
  client: Pick<HttpClient, 'send'>
  /** Raw path and query, exactly as it shall arrive. */
  path: string
  headers: Headers
  /** Which of the answer's headers the client gets to see. */
  policy: HeaderPolicy
}

export interface AttemptRequest {
  method: string
  body: RequestBody
  /** No byte for this long ends the attempt; 0 never does. */
  idleTimeoutMs: number
  /** Statuses that mean "ask another provider" are not handed to the client but returned as `refused`. */
  mayRefuse: boolean
  /** Asked when an answer breaks off: why, where nothing failed. Soon, and never rejects. */
  whyBrokenOff?: (() => Promise<string | undefined>) | undefined
  /** For a WebSocket handshake: whether a 101 with these headers answers it. */
  isAccepted?: ((headers: IncomingHttpHeaders) => boolean) | undefined
  /** Called with each piece of the answer; must be quick. */
  onData?: (() => void) | undefined
  /** Adds headers of our own to those the client will get; called when the answer begins. */
  addOwnHeaders(headers: Headers, timing: AttemptTiming): void
}

/** Milliseconds since the attempt began. */
export interface AttemptTiming {
  connectMs: number
  ttfbMs: number
}

/**
 * How an attempt ended. Only `refused` and `failed` leave the client untouched, so only they allow another one; `upgraded`
 * leaves it to the caller, who has the bare connection to the provider now.
 */
export type AttemptResult =
  | { kind: 'upgraded'; socket: Duplex; headers: IncomingHttpHeaders; timing: AttemptTiming }
  | { kind: 'relayed'; status: number; timing: AttemptTiming }
  | { kind: 'refused'; status: number; retryAfterS: number | undefined }
  | AttemptFailure
  | {
      kind: 'cut'
      reason: string
      /** The provider has said why, and nothing failed. */
      explained: boolean
      status: number
      timing: AttemptTiming
    }
  | { kind: 'client-gone' }

/** Statuses by which a provider says that another one should be asked. */
const REFUSALS = new Set([429, 502, 503, 504])

/** Bytes of a refusal that are read to keep its connection usable; a longer one is cut. */
const MAX_REFUSAL_BYTES = 64 * 1024

const MS = (from: number): number => performance.now() - from

/** Sends the request to one target and relays what comes back. Never rejects. */
export function attempt(target: AttemptTarget, request: AttemptRequest, reply: Reply): Promise<AttemptResult> {
  return new Promise((resolve) => new Attempt(target, request, reply, resolve).start())
}

/** An attempt under way. A class, because one is made for each request. */
class Attempt implements AnswerHandler {
  readonly #target: AttemptTarget
  readonly #request: AttemptRequest
  readonly #reply: Reply
  readonly #resolve: (result: AttemptResult) => void
  readonly #startedAt = performance.now()
  #exchange: HttpExchange | undefined
  #connectMs = 0
  #head: { status: number; timing: AttemptTiming } | undefined
  #refusal: { status: number; retryAfterS: number | undefined; bytes: number } | undefined
  #late: LateAnswer | undefined
  /** Pieces may still come: those that had come before their connection ended. */
  #waitsForClient = false
  #settled = false

  constructor(target: AttemptTarget, request: AttemptRequest, reply: Reply, resolve: (result: AttemptResult) => void) {
    this.#target = target
    this.#request = request
    this.#reply = reply
    this.#resolve = resolve
  }

  start(): void {
    if (this.#reply.gone) {
      this.#settle({ kind: 'client-gone' })
      return
    }
    this.#reply.onGone(this.#onGone)
    const { client, path, headers } = this.#target
    const { method, body, idleTimeoutMs, isAccepted } = this.#request
    const request: HttpRequest = { method, path, headers, body: bodyToSend(body), idleTimeoutMs }
    if (isAccepted !== undefined) request.upgrade = 'websocket'
    client.send(request, this)
  }

  readonly #onGone = (): void => {
    // Settled first: aborting reports an error, and this is not the provider's.
    this.#settle({ kind: 'client-gone' })
    this.#exchange?.abort(new ClientGoneError())
  }

  #settle(result: AttemptResult): void {
    if (this.#settled) return
    this.#settled = true
    this.#reply.offGone(this.#onGone)
    this.#resolve(result)
  }

  onStart(exchange: HttpExchange): void {
    this.#exchange = exchange
    this.#connectMs = MS(this.#startedAt)
    // The client left while a connection was being made: nothing of the request has been sent yet.
    if (this.#settled) exchange.abort(new ClientGoneError())
  }

  onUpgrade(headers: IncomingHttpHeaders, socket: Duplex): void {
    socket.on('error', () => socket.destroy())
    if (this.#request.isAccepted?.(headers) === true && !this.#settled) {
      this.#settle({ kind: 'upgraded', socket, headers, timing: this.#timing() })
      return
    }
    socket.destroy()
    this.#settle(failureBeforeHeaders(new Error('its answer to the WebSocket handshake is wrong')))
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    if (this.#request.mayRefuse && REFUSALS.has(status)) {
      this.#refusal = { status, retryAfterS: retryAfter(headers['retry-after']), bytes: 0 }
      return
    }
    const timing = this.#timing()
    const answer = responseHeaders(headers, this.#target.policy)
    this.#request.addOwnHeaders(answer, timing)
    const passed = this.#reply.head(status, answer)
    this.#head = { status, timing }
    // Comments have gone out as an event stream and this is something else: the client gets it as an error event.
    if (!passed) this.#late = new LateAnswer(status)
  }

  onData(piece: Buffer): void {
    if (this.#late !== undefined) {
      if (!this.#late.push(piece)) this.#exchange?.abort(new Error('the answer is too long for an error event'))
      return
    }
    if (this.#refusal !== undefined) {
      this.#refusal.bytes += piece.byteLength
      if (this.#refusal.bytes > MAX_REFUSAL_BYTES) this.#exchange?.abort(new Error('the refusal is too long'))
      return
    }
    this.#request.onData?.()
    if (this.#reply.write(piece) || this.#waitsForClient) return
    this.#waitsForClient = true
    this.#exchange?.pause()
    this.#reply.onDrain(() => {
      this.#waitsForClient = false
      this.#exchange?.resume()
    }, this.#request.idleTimeoutMs)
  }

  onEnd(): void {
    if (this.#refusal !== undefined) {
      this.#settle({ kind: 'refused', status: this.#refusal.status, retryAfterS: this.#refusal.retryAfterS })
      return
    }
    if (this.#head === undefined || this.#settled) return
    if (this.#late === undefined) this.#reply.end()
    else this.#late.writeTo(this.#reply)
    this.#settle({ kind: 'relayed', status: this.#head.status, timing: this.#head.timing })
  }

  onError(error: Error): void {
    if (this.#settled) return
    if (error instanceof ClientGoneError) this.#settle({ kind: 'client-gone' })
    else if (this.#refusal !== undefined) {
      this.#settle({ kind: 'refused', status: this.#refusal.status, retryAfterS: this.#refusal.retryAfterS })
    } else if (this.#late !== undefined && this.#head !== undefined) {
      this.#late.writeTo(this.#reply)
      this.#settle({ kind: 'relayed', ...this.#head })
    } else if (this.#head === undefined) this.#settle(failureBeforeHeaders(error))
    else void this.#breakOff(error, this.#head)
  }

  async #breakOff(error: Error, sent: { status: number; timing: AttemptTiming }): Promise<void> {
    const why = await this.#request.whyBrokenOff?.()
    if (this.#settled) return
    const reason = why ?? reasonOf(error)
    this.#reply.breakOff(breakError(error, why))
    this.#settle({ kind: 'cut', reason, explained: why !== undefined, ...sent })
  }

  #timing(): AttemptTiming {
    return { connectMs: this.#connectMs, ttfbMs: MS(this.#startedAt) }
  }
}

function bodyToSend(body: RequestBody): Buffer | Upload | null {
  if (body.kind === 'none') return null
  return body.kind === 'read' ? body.bytes : new Upload(body.stream, body.maxBytes)
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header)
  return header !== undefined && Number.isInteger(seconds) && seconds >= 0 && seconds <= 86_400 ? seconds : undefined
}

/** Longer than any sensible error. */
const MAX_LATE_BYTES = 64 * 1024

/** An answer that is no event stream and came after comments had begun one: the client gets it as an error event. */
class LateAnswer {
  readonly #status: number
  readonly #pieces: Buffer[] = []
  #bytes = 0

  constructor(status: number) {
    this.#status = status
  }

  /** Keeps a piece of the body; false when there is too much of it. */
  push(chunk: Buffer): boolean {
    this.#bytes += chunk.byteLength
    if (this.#bytes > MAX_LATE_BYTES) return false
    this.#pieces.push(chunk)
    return true
  }

  /** The provider's own error where it sent one in OpenAI's shape, else a sentence of ours. */
  writeTo(reply: Reply): void {
    const error = new AppError(
      'upstream_failed',
      `The provider answered ${this.#status} after a long silence, and not with an event stream. Send the request again.`,
    )
    reply.breakOff(error, this.#bytes > MAX_LATE_BYTES ? undefined : errorIn(Buffer.concat(this.#pieces)))
  }
}

function errorIn(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null && 'error' in value ? { error: value.error } : undefined
  } catch {
    // Not JSON: there is nothing in it a client could read.
    return undefined
  }
}
