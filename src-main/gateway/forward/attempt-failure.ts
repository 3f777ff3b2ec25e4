import { AppError, type ErrorCode } from '#shared/errors.js'
import {
  ConnectFailedError,
  ConnectionLostError,
  SilentServerError,
  UnsendableRequestError,
} from '../../http-client/index.js'
import { deadPeerBehind } from '../../p2p/hardening/liveness/dead-peer.js'
import { PeerUnreachableError } from '../../p2p/http/peer-clients.js'

/**
 * How far a failed try came. `stale`: the connection had served before and was lost before a byte of this answer came,
 * as happens when the other side gives up an idle connection in the moment it is used again. `refused-here`: this
 * node's own HTTP client found the request unfit to be sent; the provider has nothing to do with it. `way-lost`: nothing
 * was heard over a relay any more; the provider behind it may be well.
 */
export type FailureStage = 'connect' | 'stale' | 'before-headers' | 'way-lost' | 'refused-here'

/** A try that failed and left the client untouched. `reason` is short, for logs and sentences. */
export interface AttemptFailure {
  kind: 'failed'
  stage: FailureStage
  reason: string
  timedOut: boolean
}

/** What an error before the answer's head means. */
export function failureBeforeHeaders(error: Error): AttemptFailure {
  return { kind: 'failed', stage: stageOf(error), reason: reasonOf(error), timedOut: isTimeout(error) }
}

function stageOf(error: Error): FailureStage {
  if (error instanceof UnsendableRequestError) return 'refused-here'
  const dead = deadPeerBehind(error)
  if (dead?.wasRelayed === true) return 'way-lost'
  if (error instanceof ConnectFailedError) return 'connect'
  if (dead !== undefined) return 'before-headers'
  return error instanceof ConnectionLostError && error.stale ? 'stale' : 'before-headers'
}

const isTimeout = (error: Error): boolean => error instanceof SilentServerError

/** A short reason for logs and messages: never a part of a body. */
export function reasonOf(error: Error): string {
  const dead = deadPeerBehind(error)
  if (dead !== undefined) return dead.message
  if (error instanceof PeerUnreachableError) return `not reachable (${error.message.slice(0, 120)})`
  if (error instanceof ConnectFailedError && isRefusal(error.cause)) return 'connection refused'
  return error.message.slice(0, 120)
}

const isRefusal = (cause: unknown): boolean =>
  cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED'

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
