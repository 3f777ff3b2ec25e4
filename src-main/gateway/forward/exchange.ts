import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'
import type { Host } from '../../p2p/index.js'
import type { PathLookup } from '../../p2p/dial/path-lookup.js'
import { WEBSOCKET } from '../../services/index.js'
import type { TrafficFeed, TrafficHandle } from '../../telemetry/traffic.js'
import type { Arrival } from '../listener/arrival.js'
import type { Door } from '../listener/door.js'
import { HOPS_HEADER, nextHops } from './headers.js'
import { Reply } from './reply.js'
import { ClientGoneError, type RequestBody } from '../body/request-body.js'

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

/** Only at the local listener, and only for an event stream. */
const wantsComments = (exchange: Exchange): boolean =>
  exchange.door === 'local' && exchange.body.kind === 'read' && exchange.body.json?.['stream'] === true

/**
 * Runs one forwarded request and enters it in the traffic feed, whatever becomes of it. The response belongs to
 * `forward` from here on.
 * @throws AppError `loop_detected`, and whatever `forward` throws while the client is untouched
 */
export async function runExchange(
  needs: { host: Host; traffic: TrafficFeed; paths: PathLookup },
  arrival: Arrival,
  about: { service: string; route: string },
  forward: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const { door, requestId, request } = arrival
  const hops = nextHops(request.headers[HOPS_HEADER], needs.host.peerId)
  const peer = door === 'peer' ? request.socket.remoteAddress : undefined
  const exchange: Exchange = {
    door,
    requestId,
    hops,
    traffic: needs.traffic.begin({
      id: requestId,
      direction: door === 'peer' ? 'in' : 'local',
      service: about.service,
      method: arrival.isHandshake ? WEBSOCKET : arrival.method,
      route: about.route,
      peer: peer ?? null,
      path: peer === undefined ? null : needs.paths.pathTo(peer),
    }),
    request,
    reply: new Reply(arrival.response, { door, requestId }),
    startedAt: performance.now(),
    body: { kind: 'none' },
  }
  try {
    await forward(exchange)
  } catch (error) {
    const known = error instanceof AppError ? error : undefined
    const gone = error instanceof ClientGoneError
    exchange.traffic.finish(
      gone ? { cancelledBy: 'client' } : { status: known?.status ?? 500, error: known?.code ?? 'internal' },
    )
    throw error
  }
}

/**
 * Tells a client that asked for an event stream, while it waits for headers, that its request is alive. OpenAI's and
 * Anthropic's paths alone answer `stream: true` with one: anywhere else a comment would spoil the answer. `everyMs` is
 * `GatewayTiming.commentEveryMs`.
 */
export function keepClientAwake(exchange: Exchange, service: string, path: string, everyMs?: number): void {
  if (service !== 'llm' || !path.startsWith('/v1/') || !wantsComments(exchange)) return
  exchange.reply.startComments({ 'x-request-id': exchange.requestId }, everyMs)
}
