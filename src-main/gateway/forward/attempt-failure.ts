import { errors } from 'undici'
import { AppError, type ErrorCode } from '#shared/errors.js'
import { PeerUnreachableError } from '../../p2p/http/peer-clients.js'

/**
 * How far a failed try came. `stale`: the connection had served before and was lost before a byte of this answer came,
 * as happens when the other side gives up an idle connection in the moment it is used again. `refused-here`: this
 * node's own HTTP client found the request unfit to be sent; the provider has nothing to do with it.
 */
export type FailureStage = 'connect' | 'stale' | 'before-headers' | 'refused-here'

/** A try that failed and left the client untouched. `reason` is short, for logs and sentences. */
export interface AttemptFailure {
  kind: 'failed'
  stage: FailureStage
  reason: string
  timedOut: boolean
}

/** What an error before the answer's head means; `sent` tells whether anything of the request had been sent. */
export function failureBeforeHeaders(error: unknown, sent: boolean): AttemptFailure {
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
export function reasonOf(error: unknown): string {
  if (error instanceof PeerUnreachableError) return `not reachable (${error.message.slice(0, 120)})`
  if (isTimeout(error)) return 'no byte for too long'
  if (error instanceof errors.SocketError) return 'connection lost'
  if (!(error instanceof Error)) return 'connection lost'
  const { code } = error as { code?: unknown }
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'connection lost'
  return error.message.slice(0, 120)
}

/** What the client is told where an answer breaks off; `why` is the provider's own reason, where it gave one. */
export function breakError(error: Error, why: string | undefined): AppError {
  return new AppError(codeOfBreak(error, why), brokenSentence(why ?? reasonOf(error)))
}

function codeOfBreak(error: Error, why: string | undefined): ErrorCode {
  if (why !== undefined) return 'no_provider'
  return isTimeout(error) ? 'upstream_timeout' : 'upstream_failed'
}

function brokenSentence(reason: string): string {
  return `The answer broke off (${reason}). What came before is incomplete; send the request again.`
}
