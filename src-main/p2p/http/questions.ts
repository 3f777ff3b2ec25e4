import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'
import { OWN_SERVICE_PREFIX } from '#shared/routes.js'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import { fullBucket, refilled, type Bucket, type BucketRate } from '../../base/token-bucket.js'

/**
 * Requests of one peer for anything else (the table, the models, what this node is): at once, and a second after that.
 * Each costs a fraction of a millisecond to some milliseconds of a core, and nobody else counts them.
 */
export const QUESTIONS: BucketRate = { capacity: 300, refillPerS: 20 }

/** Peers whose questions are counted; the one that asked longest ago is forgotten, with its bucket long full again. */
const MAX_PEERS = 4096

/** The handler, with a bound on what a single peer may ask besides requests for a service. */
export function limitQuestions(
  handler: RequestListener,
  rate: BucketRate = QUESTIONS,
  clock: MonotonicClock = monotonicClock,
): RequestListener {
  const buckets = new Map<string, Bucket>()

  function take(peerId: string): boolean {
    const now = clock.elapsedMs()
    const bucket = refilled(buckets.get(peerId) ?? fullBucket(rate, now), rate, now)
    const isEnough = bucket.tokens >= 1
    buckets.delete(peerId)
    buckets.set(peerId, isEnough ? { ...bucket, tokens: bucket.tokens - 1 } : bucket)
    const [oldest] = buckets.keys()
    if (buckets.size > MAX_PEERS && oldest !== undefined) buckets.delete(oldest)
    return isEnough
  }

  return (request, response) => {
    // Requests for a service have limits of their own, which are the owner's to set.
    const isCounted = request.url?.startsWith(OWN_SERVICE_PREFIX) !== true
    if (isCounted && !take(request.socket.remoteAddress ?? '')) refuse(request, response)
    else handler(request, response)
  }
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  const error = new AppError('rate_limited', 'This peer asks too often. Try again in a second.', { retryAfterS: 1 })
  response.writeHead(error.status, { 'content-type': 'application/json', 'retry-after': '1', connection: 'close' })
  response.end(JSON.stringify(toWireError(error, randomUUID())))
}
