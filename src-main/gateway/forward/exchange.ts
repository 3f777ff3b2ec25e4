import type { IncomingMessage } from 'node:http'
import type { TrafficLeg } from '#shared/contract/node/traffic.js'
import { AppError } from '#shared/errors.js'
import { keepShape } from '../../base/memory/kept-shapes.js'
import type { Log } from '../../logging/index.js'
import type { TrustedOffers } from '../../node-table/index.js'
import type { Host, PathLookup } from '../../p2p/index.js'
import { type ServiceRegistry, WEBSOCKET } from '../../services/index.js'
import type { TrafficFeed, TrafficHandle, TrafficUpdate } from '../../telemetry/index.js'
import type { BodyMemory, HeldBody } from '../body/body-memory.js'
import { ClientGoneError } from '../body/read-body.js'
import type { RequestBody } from '../body/request-body.js'
import type { Arrival } from '../listener/arrival.js'
import type { Listener } from '../listener/listeners.js'
import { type KeptResponses, ResponseIdReader } from '../routing/affinity/kept-responses.js'
import type { Provider } from '../routing/choose-providers.js'
import type { ProviderHealth } from '../routing/provider-health.js'
import { whyFailed } from './failures.js'
import { HOPS_HEADER, nextHops } from './headers.js'
import { Reply } from './reply.js'
import type { AttemptPlan } from './targets.js'
import type { AttemptOutcome } from './websocket.js'

/** One request on its way through this node, from the parsed target to the answer's end. */
export interface Exchange {
  readonly listener: Listener
  readonly request: IncomingMessage
  readonly reply: Reply
  readonly requestId: string
  /** Value of `X-Ocf-Hops` to send on. */
  readonly hops: string
  readonly traffic: TrafficHandle
  /** `performance.now()` at arrival. */
  readonly startedAt: number
  body: RequestBody
  /** Whose answer the client got. */
  answeredBy?: Provider
  /** Where the bytes of the body are counted until the exchange is over. */
  readonly memory: HeldBody
}

/** Its server may keep what it makes. */
const MAKES_RESPONSE = /\/v1\/responses(?:\?|$)/

/** Only at the local listener, and only for an event stream. */
const wantsComments = (exchange: Exchange): boolean =>
  exchange.listener === 'local' && exchange.body.kind === 'read' && exchange.body.json?.scalar('stream') === true

/**
 * Runs one forwarded request and enters it in the traffic feed, whatever becomes of it. The response belongs to
 * `forward` from here on.
 * @throws AppError `loop_detected`, and whatever `forward` throws while the client is untouched
 */
export async function runExchange(
  needs: { host: Host; traffic: TrafficFeed; paths: PathLookup; bodies: BodyMemory; responses: KeptResponses },
  arrival: Arrival,
  about: { service: string; route: string },
  forward: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const { listener, requestId, request } = arrival
  const hops = nextHops(request.headers[HOPS_HEADER], needs.host.peerId)
  const peer = listener === 'peer' ? request.socket.remoteAddress : undefined
  const responseId = MAKES_RESPONSE.test(arrival.url) ? new ResponseIdReader() : undefined
  const exchange: Exchange = {
    listener,
    requestId,
    hops,
    traffic: needs.traffic.begin({
      id: requestId,
      direction: listener === 'peer' ? 'in' : 'local',
      service: about.service,
      method: arrival.isHandshake ? WEBSOCKET : arrival.method,
      route: about.route,
      peer: peer ?? null,
      path: peer === undefined ? null : needs.paths.pathTo(peer),
      key: arrival.keyHolder?.name ?? null,
    }),
    request,
    reply: new Reply(arrival.response, { listener, requestId, api: arrival.api, reader: responseId }),
    startedAt: performance.now(),
    body: { kind: 'none' },
    memory: needs.bodies.hold(peer === undefined ? request.headers.origin : arrival.source),
  }
  try {
    await forward(exchange)
    const { answeredBy } = exchange
    if (responseId?.id !== undefined && answeredBy !== undefined) needs.responses.keep(responseId.id, answeredBy, peer)
  } catch (error) {
    const known = error instanceof AppError ? error : undefined
    const gone = error instanceof ClientGoneError
    exchange.traffic.finish(
      gone ? { cancelledBy: 'client' } : { status: known?.status ?? 500, error: known?.code ?? 'internal' },
    )
    throw error
  } finally {
    exchange.memory.release()
    keepShape(listener === 'peer' ? 'exchange of a peer' : 'exchange of an app', exchange, bodyBytes(exchange))
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

/** Reports how attempts went to the log, the traffic feed, and what judges providers. */
export interface AttemptRecord {
  /** This provider is answering now, with what it offers under that key (`offerKey`). */
  success(provider: Provider, offer: string | undefined): void
  /** An attempt ended. */
  ended(exchange: Exchange, plan: Pick<AttemptPlan, 'provider' | 'offer'>, result: AttemptOutcome): void
  /** The exchange is over. */
  finish(exchange: Exchange, fields: TrafficUpdate): void
}

export function createAttemptRecord(needs: {
  host: Pick<Host, 'isConnected'>
  health: Pick<ProviderHealth, 'reportSuccess' | 'reportFailure' | 'reportOfferFailure'>
  registry: Pick<ServiceRegistry, 'reportSuccess' | 'reportFailure' | 'reportMissing'>
  /** What trusted peers told. */
  offers: Pick<TrustedOffers, 'ask'>
  log: Log
}): AttemptRecord {
  const { host, health, registry, offers, log } = needs

  function success(provider: Provider, offer: string | undefined): void {
    if (provider.kind === 'peer') health.reportSuccess(provider.peerId, offer)
    else registry.reportSuccess(provider.serviceId)
  }

  /** A peer that is still connected is well: what failed is the server behind it, and that may have others. */
  function failure({ provider, offer }: Pick<AttemptPlan, 'provider' | 'offer'>, reason: string): void {
    if (provider.kind === 'self') registry.reportFailure(provider.serviceId)
    else if (!host.isConnected(provider.peerId)) health.reportFailure(provider.peerId, reason)
    else if (offer !== undefined) health.reportOfferFailure(provider.peerId, offer)
  }

  /** It may have the model no longer, or share it no longer, or not with this node. */
  function missing(provider: Provider): void {
    if (provider.kind === 'peer') offers.ask(provider.peerId)
    else registry.reportMissing(provider.serviceId)
  }

  function finish(exchange: Exchange, fields: TrafficUpdate): void {
    const tokens = exchange.reply.tokens()
    exchange.traffic.addBytes(bodyBytes(exchange), exchange.reply.bytes)
    exchange.traffic.finish({
      ...fields,
      ...(tokens === null ? {} : { tokens: tokens.count, tokensFrom: tokens.from, tokensIn: tokens.input }),
    })
  }

  return {
    success,
    finish,
    ended(exchange, plan, result) {
      const { provider } = plan
      const fields = {
        requestId: exchange.requestId,
        provider: provider.kind === 'peer' ? provider.peerId : provider.serviceId,
      }
      if (result.kind === 'relayed') {
        success(provider, plan.offer)
        if (result.status === NOT_FOUND) missing(provider)
        const ttfbMs = Math.round(result.timing.ttfbMs)
        log.debug('a request was answered', { ...fields, status: result.status, ttfbMs })
        finish(exchange, { status: result.status })
      } else if (result.kind === 'cut') {
        if (!result.explained) failure(plan, result.reason)
        log.warn('an answer broke off', { ...fields, reason: result.reason })
        const error = result.explained ? 'no_provider' : 'upstream_failed'
        if (result.goesOn) return
        finish(exchange, { status: result.status, error, cancelledBy: 'provider' })
      } else if (result.kind === 'overtaken')
        log.info('a provider was left', { ...fields, why: result.why ?? 'another was faster' })
      else if (result.kind === 'client-gone') {
        log.debug('the client went away', fields)
        finish(exchange, { cancelledBy: 'client' })
      } else if (result.kind === 'failed') {
        if (result.stage !== 'refused-here') failure(plan, result.reason)
        log.info('an attempt failed', { ...fields, reason: result.reason })
      } else log.info('a provider declined', { ...fields, status: result.status })
    },
  }
}

const NOT_FOUND = 404

/** Size of the request's body; of a streamed one what the client declared. */
function bodyBytes({ body, request }: Exchange): number {
  if (body.kind === 'read') return body.bytes.byteLength
  return body.kind === 'stream' ? Number(request.headers['content-length'] ?? 0) : 0
}

const OUTCOMES = {
  relayed: 'answered',
  refused: 'refused',
  failed: 'failed',
  cut: 'broke-off',
  'client-gone': 'client-gone',
  overtaken: 'failed',
} as const satisfies Record<AttemptOutcome['kind'], TrafficLeg['outcome']>

/** An attempt as the traffic feed keeps it. `startMs` counts from the request's arrival. */
export function trafficAttempt(
  provider: Provider,
  result: AttemptOutcome,
  startMs: number,
  durationMs: number,
): TrafficLeg {
  const timing = 'timing' in result ? result.timing : undefined
  return {
    peer: provider.kind === 'peer' ? provider.peerId : null,
    outcome: OUTCOMES[result.kind],
    reason: reasonOf(result, provider.kind === 'self'),
    startMs: rounded(startMs),
    durationMs: rounded(durationMs),
    connectMs: timing === undefined ? null : rounded(timing.connectMs),
    ttfbMs: timing === undefined ? null : rounded(timing.ttfbMs),
  }
}

function reasonOf(result: AttemptOutcome, isOwn: boolean): string | null {
  if (result.kind === 'failed' || result.kind === 'refused') return whyFailed(result, isOwn).reason
  if (result.kind === 'overtaken') return result.why ?? 'another provider was faster'
  return 'reason' in result ? result.reason : null
}

/** Tenths of a millisecond. */
const rounded = (ms: number): number => Math.round(ms * 10) / 10

/** While an answer flows, its provider is reported alive this often. */
export const ALIVE_EVERY_MS = 5_000

/**
 * To be called with each piece of an answer: calls `report` at most every {@link ALIVE_EVERY_MS}. A server that sends is
 * alive, however long its answer takes; a health check it is too busy for must not end that.
 */
export function createAliveReporter(report: () => void, now: () => number = () => performance.now()): () => void {
  let reportedAt = now()
  return () => {
    const at = now()
    if (at - reportedAt < ALIVE_EVERY_MS) return
    reportedAt = at
    report()
  }
}
