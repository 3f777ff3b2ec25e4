import { AppError, type ErrorCode } from '#shared/errors.js'
import {
  ConnectFailedError,
  ConnectionLostError,
  IdleTimeoutError,
  UnsendableRequestError,
} from '../../http-client/index.js'
import { deadPeerBehind, PeerUnreachableError } from '../../p2p/index.js'
import type { Provider } from '../routing/choose-providers.js'

/**
 * How far a failed attempt came. `stale`: the connection had served before and was lost before a byte of this answer came,
 * as happens when the other side gives up an idle connection in the moment it is used again. `refused-here`: this
 * node's own HTTP client found the request unfit to be sent; the provider has nothing to do with it. `way-lost`: the
 * connection to the peer is gone, or nothing was heard over its relay any more; the peer may be well.
 */
type FailureStage = 'connect' | 'stale' | 'before-headers' | 'way-lost' | 'refused-here'

/** An attempt that failed and left the client untouched. `reason` is short, for logs and sentences. */
export interface AttemptFailure {
  kind: 'failed'
  stage: FailureStage
  /** Nothing of the request left this machine. */
  unsent: boolean
  cause: FailureCause
  reason: string
  timedOut: boolean
}

/** What an error before the answer's head means. */
export function failureBeforeHeaders(error: Error): AttemptFailure {
  const unsent = error instanceof ConnectFailedError || error instanceof UnsendableRequestError
  const stage = stageOf(error)
  return { kind: 'failed', stage, unsent, cause: causeOf(error), reason: reasonOf(error), timedOut: isTimeout(error) }
}

function causeOf(error: Error): FailureCause {
  if (isTimeout(error) || deadPeerBehind(error) !== undefined) return 'silent'
  if (error instanceof PeerUnreachableError) return error.wasLost ? 'lost' : 'unreachable'
  if (error instanceof ConnectFailedError) return 'unreachable'
  return error instanceof ConnectionLostError ? 'lost' : 'other'
}

function stageOf(error: Error): FailureStage {
  if (error instanceof UnsendableRequestError) return 'refused-here'
  const dead = deadPeerBehind(error)
  if (dead?.peerMayBeWell === true) return 'way-lost'
  if (error instanceof PeerUnreachableError && error.wasLost) return 'way-lost'
  if (error instanceof ConnectFailedError) return 'connect'
  if (dead !== undefined) return 'before-headers'
  return error instanceof ConnectionLostError && error.stale ? 'stale' : 'before-headers'
}

/** It did not move for too long, or too slowly. */
export const isTimeout = (error: Error): boolean => error instanceof IdleTimeoutError

const LOST = 'the connection was lost'

/** A short reason for logs and messages: never a part of a body. */
export function reasonOf(error: Error): string {
  const dead = deadPeerBehind(error)
  if (dead !== undefined) return dead.message
  if (error instanceof PeerUnreachableError && error.wasLost) return LOST
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

/** The same for an answer that nobody could go on with. */
export function cutError(cut: { reason: string; explained: boolean; timedOut: boolean }): AppError {
  const code = cut.explained ? 'no_provider' : cut.timedOut ? 'upstream_timeout' : 'upstream_failed'
  return new AppError(code, brokenSentence(cut.reason))
}

/** An attempt that gave no answer: at whom, and why. */
export interface FailedAttempt {
  /** Peer id, or `this node`. */
  who: string
  cause: FailureCause
  reason: string
  outcome: 'failed' | 'timed-out' | 'busy' | 'unavailable'
  retryAfterS?: number
}

/** What the sentence of a failed request says of one attempt. */
export function toFailedAttempt(
  provider: Provider,
  result: AttemptFailure | (Parameters<typeof whyFailed>[0] & { kind: 'refused'; retryAfterS?: number }),
): FailedAttempt {
  const isOwn = provider.kind === 'self'
  const who = isOwn ? 'this node' : provider.peerId
  const { cause, reason } = whyFailed(result, isOwn)
  if (result.kind === 'failed') return { who, cause, reason, outcome: result.timedOut ? 'timed-out' : 'failed' }
  const { status, retryAfterS } = result
  return {
    ...{ who, cause, reason },
    outcome: status === 429 ? 'busy' : status === 503 ? 'unavailable' : status === 504 ? 'timed-out' : 'failed',
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  }
}

/** Why a provider did not answer: the closed vocabulary of it. */
export type FailureCause = keyof typeof CAUSES

/** What is said of each, and what can be done about it. */
const CAUSES = {
  'server-down': {
    says: 'its model server does not answer',
    advice: 'Whose server it is has to start it; GET /v1/models lists what there is meanwhile.',
  },
  full: { says: 'it is full', advice: 'Try again shortly.' },
  closed: { says: 'it takes no requests at the moment', advice: 'Try again later, or use another model.' },
  lost: { says: 'the connection was lost', advice: 'Send the request again.' },
  unreachable: {
    says: 'it can not be reached',
    advice: 'Try again shortly; "ocf doctor" tells how peers are reached.',
  },
  silent: { says: 'it did not answer in time', advice: 'Send the request again, or a shorter one.' },
  locked: {
    says: 'its model server wants a key',
    advice: 'Whose server it is has to give its key to the node: "ocf share PORT --key-file FILE".',
  },
  moved: {
    says: 'its model server redirects to another address',
    advice: 'Whose server it is has to share the address it redirects to.',
  },
  other: { says: 'it failed', advice: 'Send the request again, or use another model.' },
} as const

const CAUSE_OF_CODE: Partial<Record<ErrorCode, FailureCause>> = {
  upstream_failed: 'server-down',
  upstream_timeout: 'silent',
  provider_busy: 'full',
  rate_limited: 'full',
  no_provider: 'closed',
}

const CAUSE_OF_STATUS: Readonly<Record<number, FailureCause>> = {
  ...{ 401: 'locked', 403: 'locked', 429: 'full', 502: 'server-down', 504: 'silent' },
  ...{ 301: 'moved', 302: 'moved', 303: 'moved', 307: 'moved', 308: 'moved' },
}

/** Why an attempt left the client without an answer; `isOwn` for one at a server of this machine. */
export function whyFailed(
  result:
    | AttemptFailure
    | { kind: 'refused'; status: number; code: ErrorCode | undefined; message?: string | undefined },
  isOwn: boolean,
): { cause: FailureCause; reason: string } {
  if (result.kind === 'refused') {
    const told = result.code === undefined ? undefined : CAUSE_OF_CODE[result.code]
    const cause = saidBy(result.message) ?? told ?? CAUSE_OF_STATUS[result.status] ?? 'other'
    return { cause, reason: `${CAUSES[cause].says} (answered ${result.status})` }
  }
  if (!isOwn || result.cause === 'silent') return result
  return { cause: 'server-down', reason: `${CAUSES['server-down'].says} (${result.reason})` }
}

/** What a node says of its server where the code of its error says less: in words of {@link CAUSES}, as all nodes do. */
const saidBy = (message: string | undefined): FailureCause | undefined =>
  message === undefined
    ? undefined
    : (['locked', 'moved'] as const).find((cause) => message.includes(CAUSES[cause].says))

/** When a client may try again, where no provider said when. */
const DEFAULT_RETRY_AFTER_S = 5

/** The one error that a list of failed attempts amounts to; each peer and its reason is in the sentence. */
export function allAttemptsFailed(what: string, failed: readonly FailedAttempt[]): AppError {
  const [first] = failed
  if (first === undefined) return noProvider(capitalized(what), ['it was withdrawn this moment'])
  const list = failed.map(({ who, reason }) => `${who}: ${reason}`).join('; ')
  const retryAfterS = Math.min(...failed.map((attempt) => attempt.retryAfterS ?? DEFAULT_RETRY_AFTER_S))
  const { advice } = CAUSES[failed.every(({ cause }) => cause === first.cause) ? first.cause : 'other']
  if (failed.every(({ outcome }) => outcome === 'busy')) {
    return new AppError('provider_busy', `Every provider of ${what} is busy. Try again shortly. Tried: ${list}.`, {
      retryAfterS,
    })
  }
  if (failed.every(({ outcome }) => outcome === 'timed-out')) {
    return new AppError('upstream_timeout', `No provider of ${what} answered in time. ${advice} Tried: ${list}.`)
  }
  if (failed.every(({ outcome }) => outcome === 'busy' || outcome === 'unavailable')) {
    return new AppError('no_provider', `No provider of ${what} can take the request now. ${advice} Tried: ${list}.`, {
      retryAfterS,
    })
  }
  return new AppError('upstream_failed', `No provider of ${what} could answer. ${advice} Tried: ${list}.`)
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
