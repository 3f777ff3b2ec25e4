import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection } from '@libp2p/interface'
import type { AnswerHandler, HttpExchange, HttpRequest } from '../../http-client/index.js'
import { connectionUnder, DeadPeerError } from '../../p2p/index.js'
import { EndMark } from '../body/end-mark.js'
import { ClientGoneError } from '../body/read-body.js'
import type { RequestBody } from '../body/request-body.js'
import { framingOf } from '../body/stream-events.js'
import { bodyToSend } from '../body/upload.js'
import { type AnswerPace, WaitingAnswer } from './answer-pace.js'
import { breakOffLate, ErrorBody, Refusal, type Refused } from './error-body.js'
import { type AttemptFailure, breakError, failureBeforeHeaders, isTimeout, reasonOf } from './failures.js'
import { type Headers, responseHeaders } from './headers.js'
import type { Contest } from './race.js'
import type { Reply } from './reply.js'
import type { AttemptTarget } from './targets.js'

/** What is asked of the target, and who hears of what becomes of it. */
export interface AttemptRequest {
  method: string
  body: RequestBody
  /** No byte for this long ends the attempt; 0 never does. */
  idleTimeoutMs: number
  /** Statuses that mean "ask another provider" are not handed to the client but returned as `refused`. */
  mayRefuse: boolean
  /** Further statuses that are not handed to the client, whoever else is there to be asked. */
  neverRelayed?: ReadonlySet<number> | undefined
  /** Asked when an answer breaks off: why, where nothing failed. Soon, and never rejects. */
  whyBrokenOff?: (() => Promise<string | undefined>) | undefined
  /** For a WebSocket handshake: whether a 101 with these headers answers it. */
  isAccepted?: ((headers: IncomingHttpHeaders) => boolean) | undefined
  /**
   * Of a request to a model: called at the clean end of a stream of events, with whether it carried one of the marks such
   * streams end with. False says that it should have: the answer breaks off then.
   */
  isComplete?: ((endMarked: boolean) => boolean) | undefined
  /** An answer that is no stream of events begins with its body: where that never comes, the attempt failed. */
  holdsHead?: boolean | undefined
  /**
   * Where another may be asked: hears of it when the provider is most likely gone, so that it is left before it has begun
   * to answer; returns the way to stop.
   */
  onSuspect?: ((leave: (suspect: Suspect) => void) => () => void) | undefined
  /** Others that may be at work on the same request; without it the head goes to the client as soon as it comes. */
  contest?: Contest | undefined
  /** What the body has to keep up with; without it each piece is progress. */
  pace?: AnswerPace | undefined
  /** The answer begins: with its head, or where there is a contest, with the first progress of its body. */
  onAnswer?: (() => void) | undefined
  /** Called with each piece of the answer that is progress; must be quick. */
  onData?: (() => void) | undefined
  /** Adds headers of our own to those the client will get; called when the answer begins. */
  addOwnHeaders(headers: Headers, timing: AttemptTiming): void
}

/** A connection that is most likely lost, and what there is beside it. */
interface Suspect {
  connection: Connection
  hasOtherProvider: boolean
  hasOtherConnection: boolean
}

/** Milliseconds since the attempt began. */
interface AttemptTiming {
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
  | Refused
  | AttemptFailure
  | {
      kind: 'cut'
      reason: string
      /** The provider has said why, and nothing failed. */
      explained: boolean
      timedOut: boolean
      status: number
      timing: AttemptTiming
    }
  | { kind: 'client-gone' }
  /** Another provider's answer came first. */
  | { kind: 'overtaken' }

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
  #waiting: WaitingAnswer | undefined
  #hasBegun = false
  /** What the client has got. */
  #head: { status: number; timing: AttemptTiming } | undefined
  #refusal: Refusal | undefined
  /** Of an answer that is no event stream and came after comments had begun one. */
  #late: ErrorBody | undefined
  #endMark: EndMark | undefined
  /** Pieces may still come: those that had come before their connection ended. */
  #waitsForClient = false
  #settled = false
  #stopSuspecting: (() => void) | undefined

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
    this.#request.contest?.enter({ pass: () => this.#pass(), leave: () => this.#end({ kind: 'overtaken' }) })
    this.#stopSuspecting = this.#request.onSuspect?.((suspect) => this.#leave(suspect))
    const { client, path, headers } = this.#target
    const { method, body, idleTimeoutMs, isAccepted } = this.#request
    const request: HttpRequest = { method, path, headers, body: bodyToSend(body), idleTimeoutMs }
    if (isAccepted !== undefined) request.upgrade = 'websocket'
    client.send(request, this)
  }

  readonly #onGone = (): void => this.#end({ kind: 'client-gone' })

  #end(result: AttemptResult): void {
    // Settled first: aborting reports an error, and this is not the provider's.
    this.#settle(result)
    this.#exchange?.abort(new ClientGoneError())
  }

  /** One that has no stream yet is given another connection by those who open it. */
  #leave({ connection, hasOtherProvider, hasOtherConnection }: Suspect): void {
    if ((this.#waiting ?? this.#head ?? this.#refusal) !== undefined) return
    const exchange = this.#exchange
    if (exchange !== undefined && connectionUnder(exchange.socket) !== connection) return
    if (!hasOtherProvider && !(exchange !== undefined && hasOtherConnection)) return
    const error = new DeadPeerError(false)
    this.#settle({ ...failureBeforeHeaders(error), stage: 'way-lost' })
    exchange?.abort(error)
  }

  #settle(result: AttemptResult): void {
    if (this.#settled) return
    this.#settled = true
    this.#reply.offGone(this.#onGone)
    this.#stopSuspecting?.()
    this.#request.pace?.stop()
    this.#resolve(result)
  }

  onStart(exchange: HttpExchange): void {
    this.#exchange = exchange
    this.#connectMs = MS(this.#startedAt)
    // The client left, or the provider was left, while a connection was being made: nothing of the request has been sent yet.
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
    const { contest, pace, mayRefuse, neverRelayed, holdsHead } = this.#request
    pace?.follow((error) => this.#exchange?.abort(error))
    if (mayRefuse || neverRelayed?.has(status) === true) this.#refusal = Refusal.of(status, headers, neverRelayed)
    if (this.#refusal !== undefined) return
    this.#waiting = new WaitingAnswer(status, headers)
    if ((holdsHead === true && framingOf(headers) === undefined) || contest?.mayPass() === false) return
    if (pace === undefined) this.#begin()
    else this.#pass()
  }

  /** False where another's answer began before. */
  #begin(): boolean {
    if (this.#hasBegun) return true
    if (this.#request.contest?.wins() === false) return false
    this.#hasBegun = true
    this.#request.onAnswer?.()
    this.#pass()
    return true
  }

  /** Gives the client what has waited. */
  #pass(): void {
    if (this.#waiting === undefined || this.#request.contest?.wins() === false) return
    const { status, headers, pieces } = this.#waiting
    this.#waiting = undefined
    this.#passHead(status, headers)
    for (const piece of pieces) this.#deliver(piece)
  }

  #passHead(status: number, headers: IncomingHttpHeaders): void {
    const timing = this.#timing()
    const answer = responseHeaders(headers, this.#target.policy)
    this.#request.addOwnHeaders(answer, timing)
    const passed = this.#reply.head(status, answer)
    this.#head = { status, timing }
    // Comments have gone out as an event stream and this is something else: the client gets it as an error event.
    if (!passed) this.#late = new ErrorBody()
    const framing = framingOf(answer)
    if (passed && this.#request.isComplete !== undefined && status === 200 && framing !== undefined)
      this.#endMark = new EndMark(this.#target.path, framing)
  }

  onData(piece: Buffer): void {
    const isProgress = this.#request.pace?.push(piece) !== false
    if (this.#refusal !== undefined) {
      // It is read to keep its connection usable; a longer one is cut.
      if (!this.#refusal.body.push(piece)) this.#exchange?.abort(new Error('the refusal is too long'))
      return
    }
    if (isProgress) {
      if (!this.#begin()) return
      this.#request.onData?.()
    }
    if (this.#waiting === undefined) this.#deliver(piece)
    else if (!this.#waiting.push(piece)) this.#exchange?.abort(new Error('it sends comments and no answer'))
  }

  #deliver(piece: Buffer): void {
    if (this.#late !== undefined) {
      if (!this.#late.push(piece)) this.#exchange?.abort(new Error('the answer is too long for an error event'))
      return
    }
    this.#endMark?.push(piece)
    if (this.#reply.write(piece) || this.#waitsForClient) return
    this.#waitsForClient = true
    this.#request.pace?.holdBack()
    this.#exchange?.pause()
    this.#reply.onDrain(() => {
      this.#waitsForClient = false
      this.#request.pace?.goOn()
      this.#exchange?.resume()
    }, this.#request.idleTimeoutMs)
  }

  onEnd(): void {
    if (this.#settled) return
    this.#request.pace?.end()
    if (this.#refusal !== undefined) {
      this.#settle(this.#refusal.result())
      return
    }
    if (!this.#begin() || this.#head === undefined) return
    const fault = this.#endMark?.fault(this.#request.isComplete ?? (() => true))
    if (fault !== undefined) return void this.#breakOff(new Error(fault), this.#head)
    if (this.#late === undefined) this.#reply.end()
    else breakOffLate(this.#reply, this.#head.status, this.#late)
    this.#settle({ kind: 'relayed', status: this.#head.status, timing: this.#head.timing })
  }

  onError(error: Error): void {
    if (this.#settled) return
    if (error instanceof ClientGoneError) this.#settle({ kind: 'client-gone' })
    else if (this.#refusal !== undefined) this.#settle(this.#refusal.result())
    else if (this.#late !== undefined && this.#head !== undefined) {
      breakOffLate(this.#reply, this.#head.status, this.#late)
      this.#settle({ kind: 'relayed', ...this.#head })
    } else if (this.#head === undefined) this.#settle(failureBeforeHeaders(error))
    else void this.#breakOff(error, this.#head)
  }

  async #breakOff(error: Error, sent: { status: number; timing: AttemptTiming }): Promise<void> {
    const why = await this.#request.whyBrokenOff?.()
    if (this.#settled) return
    const reason = why ?? reasonOf(error)
    this.#reply.breakOff(breakError(error, why))
    this.#settle({ kind: 'cut', reason, explained: why !== undefined, timedOut: isTimeout(error), ...sent })
  }

  #timing(): AttemptTiming {
    return { connectMs: this.#connectMs, ttfbMs: MS(this.#startedAt) }
  }
}
