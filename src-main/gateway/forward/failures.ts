import { AppError } from '#shared/errors.js'
import type { FailedTry } from './exchange.js'

/** What a client is told when it may try again but nobody said when. */
const DEFAULT_RETRY_AFTER_S = 5

/** The one error that a list of failed tries amounts to; each peer and its reason is in the sentence. */
export function allTriesFailed(what: string, tries: readonly FailedTry[]): AppError {
  if (tries.length === 0) return noProvider(capitalized(what), ['it was withdrawn this moment'])
  const list = tries.map(({ who, reason }) => `${who}: ${reason}`).join('; ')
  const retryAfterS = Math.min(...tries.map((failed) => failed.retryAfterS ?? DEFAULT_RETRY_AFTER_S))
  if (tries.every(({ outcome }) => outcome === 'busy')) {
    return new AppError('provider_busy', `Every provider of ${what} is busy. Try again shortly. Tried: ${list}.`, {
      retryAfterS,
    })
  }
  if (tries.every(({ outcome }) => outcome === 'timed-out')) {
    return new AppError('upstream_timeout', `No provider of ${what} answered in time. Tried: ${list}.`)
  }
  if (tries.every(({ outcome }) => outcome === 'busy' || outcome === 'unavailable')) {
    return new AppError('no_provider', `No provider of ${what} can take the request now. Tried: ${list}.`, {
      retryAfterS,
    })
  }
  return new AppError('upstream_failed', `No provider of ${what} could answer. Tried: ${list}.`)
}

/** Known in the network, but nobody can be routed to. */
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
