import { AppError, type ErrorCode } from '#shared/errors.js'
import {
  ConnectFailedError,
  ConnectionLostError,
  IdleTimeoutError,
  UnsendableRequestError,
} from '../../http-client/index.js'
import { deadPeerBehind, PeerUnreachableError } from '../../p2p/index.js'

/**
 * How far a failed attempt came. `stale`: the connection had served before and was lost before a byte of this answer came,
 * as happens when the other side gives up an idle connection in the moment it is used again. `refused-here`: this
 * node's own HTTP client found the request unfit to be sent; the provider has nothing to do with it. `way-lost`: nothing
 * was heard over a relay any more; the provider behind it may be well.
 */
type FailureStage = 'connect' | 'stale' | 'before-headers' | 'way-lost' | 'refused-here'

/** An attempt that failed and left the client untouched. `reason` is short, for logs and sentences. */
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

const isTimeout = (error: Error): boolean => error instanceof IdleTimeoutError

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

/** The error for a client whose answer breaks off; `why` is the provider's own reason, where it gave one. */
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

/** An attempt that gave no answer: at whom, and why. */
export interface FailedAttempt {
  /** Peer id, or `this node`. */
  who: string
  reason: string
  outcome: 'failed' | 'timed-out' | 'busy' | 'unavailable'
  retryAfterS?: number
}

/** When a client may try again, where no provider said when. */
const DEFAULT_RETRY_AFTER_S = 5

/** The one error that a list of failed attempts amounts to; each peer and its reason is in the sentence. */
export function allAttemptsFailed(what: string, failed: readonly FailedAttempt[]): AppError {
  if (failed.length === 0) return noProvider(capitalized(what), ['it was withdrawn this moment'])
  const list = failed.map(({ who, reason }) => `${who}: ${reason}`).join('; ')
  const retryAfterS = Math.min(...failed.map((attempt) => attempt.retryAfterS ?? DEFAULT_RETRY_AFTER_S))
  if (failed.every(({ outcome }) => outcome === 'busy')) {
    return new AppError('provider_busy', `Every provider of ${what} is busy. Try again shortly. Tried: ${list}.`, {
      retryAfterS,
    })
  }
  if (failed.every(({ outcome }) => outcome === 'timed-out')) {
    return new AppError('upstream_timeout', `No provider of ${what} answered in time. Tried: ${list}.`)
  }
  if (failed.every(({ outcome }) => outcome === 'busy' || outcome === 'unavailable')) {
    return new AppError('no_provider', `No provider of ${what} can take the request now. Tried: ${list}.`, {
      retryAfterS,
    })
  }
  return new AppError('upstream_failed', `No provider of ${what} could answer. Tried: ${list}.`)
}

/** Known in the network, but no provider can be routed to now. */
export function noProvider(what: string, reasons: readonly string[]): AppError {
  const why = reasons.length === 0 ? '' : ` (${reasons.slice(0, 4).join('; ')})`
  return new AppError(
    'no_provider',
    `${what} is known, but nobody can serve it at the moment${why}. Try again shortly.`,
    {
      retryAfterS: DEFAULT_RETRY_AFTER_S,
    },
  )
}

const capitalized = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
