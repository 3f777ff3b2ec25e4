import type { AttemptResult } from './attempt.js'
import type { Provider } from '../routing/choose-providers.js'
import type { Exchange, FailedTry } from './exchange.js'
import type { TryResult } from './relay-upgraded.js'

/** A streamed body is gone once a byte of it was read; any other can be sent to the next provider. */
export function canBeSentAgain(exchange: Exchange, result: TryResult): boolean {
  if (exchange.body.kind !== 'stream') return true
  const { stream } = exchange.body
  const wasEarly = result.kind === 'failed' && (result.stage === 'connect' || result.stage === 'way-lost')
  return wasEarly && !stream.readableDidRead && !stream.destroyed
}

const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])

/**
 * Whether a request lost on a connection that had idled is sent to the same provider once more. RFC 9110 §9.2.2 allows
 * it where the method is idempotent or the request is known to change nothing, as asking a model does not.
 */
export function mayRepeat(exchange: Exchange, plan: { changesNothing: boolean }, result: AttemptResult): boolean {
  return result.kind === 'failed' && result.stage === 'stale' && isHarmlessTwice(exchange, plan)
}

/** Whether a provider whose relay fell silent is asked once more, over another way, after all others. */
export function mayComeAgain(exchange: Exchange, plan: { changesNothing: boolean }, result: TryResult): boolean {
  return result.kind === 'failed' && result.stage === 'way-lost' && isHarmlessTwice(exchange, plan)
}

function isHarmlessTwice(exchange: Exchange, plan: { changesNothing: boolean }): boolean {
  if (exchange.body.kind === 'stream') return false
  return plan.changesNothing || IDEMPOTENT_METHODS.has(exchange.request.method ?? 'GET')
}

/** What the sentence of a failed request says of one try. */
export function toFailedTry(provider: Provider, result: TryResult & { kind: 'failed' | 'refused' }): FailedTry {
  const who = provider.kind === 'peer' ? provider.peerId : 'this node'
  if (result.kind === 'failed') {
    return { who, reason: result.reason, outcome: result.timedOut ? 'timed-out' : 'failed' }
  }
  const { status, retryAfterS } = result
  return {
    who,
    reason: `answered ${status}`,
    outcome: status === 429 ? 'busy' : status === 503 ? 'unavailable' : status === 504 ? 'timed-out' : 'failed',
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  }
}
