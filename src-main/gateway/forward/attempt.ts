import { errors, type Dispatcher } from 'undici'
import { AppError } from '#shared/errors.js'
import { PeerUnreachableError } from '../../p2p/http/peer-clients.js'
import { responseHeaders, type HeaderPolicy, type Headers } from './headers.js'
import type { Reply } from './reply.js'
import type { RequestBody } from './request-body.js'

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
  /** Headers of our own for the client, made when the answer begins. */
  ownHeaders(timing: AttemptTiming): Headers
}

/** Milliseconds since the try began. */
export interface AttemptTiming {
  connectMs: number
  ttfbMs: number
}

/** How a try ended. Only `refused` and `failed` leave the client untouched, so only they allow another try. */
export type AttemptResult =
  | { kind: 'relayed'; status: number; timing: AttemptTiming }
  | { kind: 'refused'; status: number; retryAfterS: number | undefined }
  | { kind: 'failed'; stage: 'connect' | 'before-headers'; reason: string; timedOut: boolean }
  | { kind: 'cut'; reason: string; status: number; timing: AttemptTiming }
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
      controller?.abort(new ClientLeft())
    })
    if (reply.gone) {
      settle({ kind: 'client-gone' })
      return
    }

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started
        connectMs = MS(startedAt)
        // The client left while a connection was being made: nothing of the request has been sent yet.
        if (settled) started.abort(new ClientLeft())
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200) return
        if (request.mayRefuse && REFUSALS.has(status)) {
          refusal = { status, retryAfterS: retryAfter(headers['retry-after']), bytes: 0 }
          return
        }
        const timing = { connectMs, ttfbMs: MS(startedAt) }
        head = { status, timing }
        const passed = reply.head(status, {
          ...responseHeaders(headers, target.policy),
          ...request.ownHeaders(timing),
        })
        if (passed) return
        // Comments have gone out as an event stream and this is something else: the client gets it as an error event.
        const error = new AppError('upstream_failed', `The provider answered ${status} after a long silence.`)
        reply.breakOff(error)
        settle({ kind: 'cut', reason: error.message, ...head })
        controller?.abort(error)
      },
      onResponseData(current, chunk) {
        if (refusal !== undefined) {
          refusal.bytes += chunk.byteLength
          if (refusal.bytes > MAX_REFUSAL_BYTES) current.abort(new Error('the refusal is too long'))
          return
        }
        if (reply.write(chunk)) return
        current.pause()
        reply.onDrain(() => current.resume())
      },
      onResponseEnd() {
        if (refusal !== undefined) settle({ kind: 'refused', ...refusal })
        else if (head !== undefined && !settled) {
          reply.end()
          settle({ kind: 'relayed', ...head })
        }
      },
      onResponseError(_controller, error) {
        if (settled) return
        if (refusal !== undefined) settle({ kind: 'refused', ...refusal })
        else if (head === undefined) settle(failureBeforeHeaders(error, controller !== undefined))
        else {
          const reason = reasonOf(error)
          reply.breakOff(
            new AppError(isTimeout(error) ? 'upstream_timeout' : 'upstream_failed', brokenSentence(reason)),
          )
          settle({ kind: 'cut', reason, ...head })
        }
      },
    }

    try {
      target.dispatcher.dispatch(
        {
          path: target.path,
          method: request.method,
          headers: target.headers,
          body:
            request.body.kind === 'none'
              ? null
              : request.body.kind === 'read'
                ? request.body.bytes
                : request.body.stream,
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

class ClientLeft extends Error {
  override readonly name = 'ClientLeft'
  constructor() {
    super('the client went away')
  }
}

function failureBeforeHeaders(error: unknown, sent: boolean): AttemptResult {
  const unreachable = error instanceof PeerUnreachableError || (error instanceof Error && isConnectFailure(error))
  return {
    kind: 'failed',
    stage: unreachable && !sent ? 'connect' : 'before-headers',
    reason: reasonOf(error),
    timedOut: isTimeout(error),
  }
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

function brokenSentence(reason: string): string {
  return `The answer broke off (${reason}). What came before is incomplete; send the request again.`
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header)
  return header !== undefined && Number.isInteger(seconds) && seconds >= 0 && seconds <= 86_400 ? seconds : undefined
}
