import type { IncomingMessage } from 'node:http'
import type { TrafficHandle } from '../../telemetry/traffic.js'
import type { Door } from '../listener/door.js'
import type { Reply } from './reply.js'
import type { RequestBody } from '../body/request-body.js'

/** One request on its way through this node, from the parsed target to the answer's end. */
export interface Exchange {
  readonly door: Door
  readonly request: IncomingMessage
  readonly reply: Reply
  readonly requestId: string
  /** Value of `X-Ocf-Hops` to send on. */
  readonly hops: string
  readonly traffic: TrafficHandle
  /** `performance.now()` at arrival. */
  readonly startedAt: number
  body: RequestBody
}

/** The provider's status and the peer of a try that did not give an answer. */
export interface FailedTry {
  /** Peer id, or `this node`. */
  who: string
  reason: string
  outcome: 'failed' | 'timed-out' | 'busy' | 'unavailable'
  retryAfterS?: number
}
