import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { keepShape } from '../../../base/memory/kept-shapes.js'
import type { AnswerHandler, HttpExchange, HttpRequest } from '../../../http-client/index.js'
import { connectionUnder, DeadPeerError } from '../../../p2p/index.js'
import { EndMark } from '../../body/end-mark.js'
import { ClientGoneError } from '../../body/read-body.js'
import { framingOf } from '../../body/stream-events.js'
import { bodyToSend } from '../../body/upload.js'
import { breakError, failureBeforeHeaders, isTimeout, reasonOf } from '../failures.js'
import { responseHeaders } from '../headers.js'
import type { AttemptTarget } from '../targets.js'
import { WaitingAnswer } from './answer-pace.js'
import { breakOffLate, ErrorBody, Refusal } from './error-body.js'
import type { AnswerSink, AttemptRequest, AttemptResult, AttemptTiming, Suspect } from './request.js'

const MS = (from: number): number => performance.now() - from

/** Sends the request to one target and relays what comes back. Never rejects. */
export function attempt(target: AttemptTarget, request: AttemptRequest, reply: AnswerSink): Promise<AttemptResult> {
  return new Promise((resolve) => new Attempt(target, request, reply, resolve).start())
}

/** An attempt under way. A class, because one is made for each request. */
class Attempt implements AnswerHandler {
  readonly #target: AttemptTarget
  readonly #request: AttemptRequest
  readonly #reply: AnswerSink
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
  #stopLeaving: (() => void) | undefined

  constructor(
    target: AttemptTarget,
    request: AttemptRequest,
    reply: AnswerSink,
    resolve: (result: AttemptResult) => void,
  ) {
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
    this.#request.contest?.enter({ pass: () => this.#pass(), leave: (why) => this.#end({ kind: 'overtaken', why }) })
    this.#stopSuspecting = this.#request.onSuspect?.((suspect) => this.#leave(suspect))
    this.#stopLeaving = this.#request.onLeaving?.(() => {
      if (this.#head !== undefined) this.#exchange?.abort(new Error('its node is about to stop'))
    })
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
    this.#stopLeaving?.()
    this.#request.pace?.stop()
    const { body } = this.#request
    keepShape('attempt', this, body.kind === 'read' ? body.bytes.byteLength : 0)
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
    const { contest, pace, mayRefuse, neverRelayed, holdsHead, takes } = this.#request
    pace?.follow((error) => this.#exchange?.abort(error))
    if (mayRefuse || neverRelayed?.has(status) === true) this.#refusal = Refusal.of(status, headers, neverRelayed)
    if (takes?.(status, headers) === false) this.#refusal = Refusal.whatever(status, headers)
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
    // Nobody waits for the reason where another one goes on: a peer that was killed gives none, for two seconds.
    const goesOn = this.#request.onCut?.() === true
    const why = goesOn ? undefined : await this.#request.whyBrokenOff?.()
    if (this.#settled) return
    const reason = why ?? reasonOf(error)
    if (!goesOn) this.#reply.breakOff(breakError(error, why))
    this.#settle({ kind: 'cut', reason, explained: why !== undefined, timedOut: isTimeout(error), goesOn, ...sent })
  }

  #timing(): AttemptTiming {
    return { connectMs: this.#connectMs, ttfbMs: MS(this.#startedAt) }
  }
}
