import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { errors, type Dispatcher } from 'undici'
import { AppError, type ErrorCode } from '#shared/errors.js'
import { PeerUnreachableError } from '../../p2p/http/peer-clients.js'
import { responseHeaders, type HeaderPolicy, type Headers } from './headers.js'
import { LateAnswer } from './late-answer.js'
import type { Reply } from './reply.js'
import { ClientGoneError, type RequestBody } from './request-body.js'
import { Upload } from './upload.js'

/** Where one try goes and what it says there. */
export interface AttemptTarget {
  dispatcher: Dispatcher
  /** Raw path and query, exactly as it shall arrive. */
  path: string
  headers: Headers
  /** Which of the answer's headers the client gets to see. */
  policy: HeaderPolicy
}

export interface AttemptRequest {
  method: string
  body: RequestBody
  /** No byte for this long ends the try; 0 never does. */
  idleTimeoutMs: number
  /** Statuses that mean "ask somebody else" are not handed to the client but returned as `refused`. */
  mayRefuse: boolean
  /** Asked when an answer breaks off: why, where that is nobody's failure. Soon, and never rejects. */
  whyBrokenOff?(): Promise<string | undefined>
  /** For a WebSocket handshake: whether a 101 with these headers answers it. */
  isAccepted?(headers: IncomingHttpHeaders): boolean
  /** Called with each piece of the answer; must be quick. */
  onData?(): void
  /** Headers of our own for the client, made when the answer begins. */
  ownHeaders(timing: AttemptTiming): Headers
}

/** Milliseconds since the try began. */
export interface AttemptTiming {
  connectMs: number
  ttfbMs: number
}

/**
 * How far a failed try came. `stale`: the connection had served before and was lost before a byte of this answer came,
 * as happens when the other side gives up an idle connection in the moment it is used again. `refused-here`: this
 * node's own HTTP client found the request unfit to be sent; the provider has nothing to do with it.
 */
export type FailureStage = 'connect' | 'stale' | 'before-headers' | 'refused-here'

/**
 * How a try ended. Only `refused` and `failed` leave the client untouched, so only they allow another try; `upgraded`
 * leaves it to the caller, who has the bare connection to the provider now.
 */
export type AttemptResult =
  | { kind: 'upgraded'; socket: Duplex; headers: IncomingHttpHeaders; timing: AttemptTiming }
  | { kind: 'relayed'; status: number; timing: AttemptTiming }
  | { kind: 'refused'; status: number; retryAfterS: number | undefined }
  | { kind: 'failed'; stage: FailureStage; reason: string; timedOut: boolean }
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
  return new Promise((resolve) => {
    const startedAt = performance.now()
    let controller: Dispatcher.DispatchController | undefined
    let connectMs = 0
    let head: { status: number; timing: AttemptTiming } | undefined
    let refusal: { status: number; retryAfterS: number | undefined; bytes: number } | undefined
    let late: LateAnswer | undefined
    let settled = false

    const settle = (result: AttemptResult): void => {
      if (settled) return
      settled = true
      stopWatching()
      resolve(result)
    }
    const stopWatching = reply.onGone(() => {
      // Settled first: aborting reports an error, and this is not the provider's.
      settle({ kind: 'client-gone' })
      controller?.abort(new ClientGoneError())
    })
    if (reply.gone) {
      settle({ kind: 'client-gone' })
      return
    }

    async function breakOff(error: Error, sent: { status: number; timing: AttemptTiming }): Promise<void> {
      const why = await request.whyBrokenOff?.()
      if (settled) return
      const reason = why ?? reasonOf(error)
      reply.breakOff(new AppError(codeOfBreak(error, why), brokenSentence(reason)))
      settle({ kind: 'cut', reason, explained: why !== undefined, ...sent })
    }

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started
        connectMs = MS(startedAt)
        // The client left while a connection was being made: nothing of the request has been sent yet.
        if (settled) started.abort(new ClientGoneError())
      },
      onRequestUpgrade(_controller, _status, headers, socket) {
        socket.on('error', () => socket.destroy())
        if (request.isAccepted?.(headers) === true && !settled) {
          settle({ kind: 'upgraded', socket, headers, timing: { connectMs, ttfbMs: MS(startedAt) } })
          return
        }
        socket.destroy()
        settle(failureBeforeHeaders(new Error('its answer to the WebSocket handshake is wrong'), true))
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200) return
        if (request.mayRefuse && REFUSALS.has(status)) {
          refusal = { status, retryAfterS: retryAfter(headers['retry-after']), bytes: 0 }
          return
        }
        const timing = { connectMs, ttfbMs: MS(startedAt) }
        const passed = reply.head(
          status,
          Object.assign(responseHeaders(headers, target.policy), request.ownHeaders(timing)),
        )
        head = { status, timing }
        // Comments have gone out as an event stream and this is something else: the client gets it as an error event.
        if (!passed) late = new LateAnswer(status)
      },
      onResponseData(current, chunk) {
        if (late !== undefined) {
          if (!late.push(chunk)) current.abort(new Error('the answer is too long for an error event'))
          return
        }
        if (refusal !== undefined) {
          refusal.bytes += chunk.byteLength
          if (refusal.bytes > MAX_REFUSAL_BYTES) current.abort(new Error('the refusal is too long'))
          return
        }
        request.onData?.()
        if (reply.write(chunk)) return
        current.pause()
        reply.onDrain(() => current.resume(), request.idleTimeoutMs)
      },
      onResponseEnd() {
        if (refusal !== undefined) settle({ kind: 'refused', ...refusal })
        else if (late !== undefined && head !== undefined) {
          late.tell(reply)
          settle({ kind: 'relayed', ...head })
        } else if (head !== undefined && !settled) {
          reply.end()
          settle({ kind: 'relayed', ...head })
        }
      },
      onResponseError(_controller, error) {
        if (settled) return
        if (error instanceof ClientGoneError) settle({ kind: 'client-gone' })
        else if (refusal !== undefined) settle({ kind: 'refused', ...refusal })
        else if (late !== undefined && head !== undefined) {
          late.tell(reply)
          settle({ kind: 'relayed', ...head })
        } else if (head === undefined) settle(failureBeforeHeaders(error, controller !== undefined))
        else void breakOff(error, head)
      },
    }

    try {
      target.dispatcher.dispatch(
        {
          path: target.path,
          method: request.method,
          headers: target.headers,
          ...(request.isAccepted === undefined ? {} : { upgrade: 'websocket' }),
          body:
            request.body.kind === 'none'
              ? null
              : request.body.kind === 'read'
                ? request.body.bytes
                : new Upload(request.body.stream, request.body.maxBytes),
          headersTimeout: request.idleTimeoutMs,
          bodyTimeout: request.idleTimeoutMs,
        },
        handler,
      )
    } catch (error) {
      settle(failureBeforeHeaders(error, false))
    }
  })
}

function failureBeforeHeaders(error: unknown, sent: boolean): AttemptResult {
  return {
    kind: 'failed',
    stage: stageOf(error, sent),
    reason: reasonOf(error),
    timedOut: isTimeout(error),
  }
}

function stageOf(error: unknown, sent: boolean): FailureStage {
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.RequestContentLengthMismatchError) {
    return 'refused-here'
  }
  if (!sent) {
    const unreachable = error instanceof PeerUnreachableError || (error instanceof Error && isConnectFailure(error))
    return unreachable ? 'connect' : 'before-headers'
  }
  return bytesReadBefore(error) > 0 ? 'stale' : 'before-headers'
}

/** Bytes that came over a connection before the other side closed it; they belong to earlier answers. */
function bytesReadBefore(error: unknown): number {
  if (error instanceof errors.SocketError) {
    return error.message === 'other side closed' ? (error.socket?.bytesRead ?? 0) : 0
  }
  if (!(error instanceof Error)) return 0
  const { code, bytesRead } = error as { code?: unknown; bytesRead?: unknown }
  return (code === 'ECONNRESET' || code === 'EPIPE') && typeof bytesRead === 'number' ? bytesRead : 0
}

function isConnectFailure(error: Error & { code?: string; syscall?: string }): boolean {
  return error.syscall === 'connect' || error instanceof errors.ConnectTimeoutError
}

function isTimeout(error: unknown): boolean {
  return error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError
}

/** A short reason for logs and messages: never a part of a body. */
function reasonOf(error: unknown): string {
  if (error instanceof PeerUnreachableError) return `not reachable (${error.message.slice(0, 120)})`
  if (isTimeout(error)) return 'no byte for too long'
  if (error instanceof errors.SocketError) return 'connection lost'
  if (!(error instanceof Error)) return 'connection lost'
  const { code } = error as { code?: unknown }
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'connection lost'
  return error.message.slice(0, 120)
}

function codeOfBreak(error: Error, why: string | undefined): ErrorCode {
  if (why !== undefined) return 'no_provider'
  return isTimeout(error) ? 'upstream_timeout' : 'upstream_failed'
}

function brokenSentence(reason: string): string {
  return `The answer broke off (${reason}). What came before is incomplete; send the request again.`
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header)
  return header !== undefined && Number.isInteger(seconds) && seconds >= 0 && seconds <= 86_400 ? seconds : undefined
}
