import { AppError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import type { PeerClients } from '../../p2p/http/peer-clients.js'
import type { PathLookup } from '../../p2p/path-lookup.js'
import type { Host } from '../../p2p/index.js'
import type { Admission } from '../../services/access/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { TrafficUpdate } from '../../telemetry/traffic.js'
import { createAliveReporter } from './alive-reporter.js'
import { attempt, type AttemptRequest, type AttemptResult, type AttemptTarget, type AttemptTiming } from './attempt.js'
import type { Provider } from './choose-providers.js'
import type { Exchange, FailedTry } from './exchange.js'
import { allTriesFailed } from './failures.js'
import { legOf } from './leg.js'
import { headerPolicyOf, requestHeaders, type HeaderPolicy, type Headers } from './headers.js'
import { HOPS_HEADER } from './hops.js'
import type { LocalClients } from './local-clients.js'
import type { ProviderScores } from './provider-scores.js'
import { hidingIds, privateIdsOf } from './private-ids.js'
import type { Reachability } from './reachability.js'
import { withServerModelId } from './server-model-id.js'

/** Sends exchanges to where they belong and relays the answers. */
export interface Forwarder {
  /**
   * Tries the providers in order until one answers; resolves to that one, or to undefined when nobody was left to answer.
   * @throws AppError `upstream_failed`, `upstream_timeout`, `provider_busy`, `no_provider` while the client is untouched
   */
  toProviders(
    exchange: Exchange,
    request: ServiceRequest,
    providers: readonly Provider[],
  ): Promise<Provider | undefined>
  /** One try at this machine's own service; whatever it answers is the answer. */
  toLocalService(exchange: Exchange, service: LocalService, path: string): Promise<void>
  /** One try at another peer's door; whatever it answers is the answer. */
  toPeer(exchange: Exchange, peerId: string, path: string): Promise<void>
}

/** A request for a service of whoever offers it. */
export interface ServiceRequest {
  service: string
  /** Raw path and query behind the service's name. */
  path: string
  /** For sentences: `model "llama3.2"`. */
  what: string
}

export interface ForwarderNeeds {
  host: Host
  peerClients: PeerClients
  localClients: LocalClients
  registry: ServiceRegistry
  reachability: Reachability
  scores: ProviderScores
  /** Hears of the owner's own requests, which take places from peers. */
  admission: Pick<Admission, 'beginOwn'>
  /** How a peer is connected at the moment. */
  paths: PathLookup
  log: Log
}

interface TryPlan {
  provider: Provider
  target: AttemptTarget
  body: Exchange['body']
  mayRefuse: boolean
  /** True for requests to models: none of them changes anything, whatever the method. */
  changesNothing: boolean
}

export function createForwarder(needs: ForwarderNeeds, options: { idleTimeoutMs: number }): Forwarder {
  const { host, peerClients, localClients, registry, reachability, paths, scores } = needs
  const log = needs.log.forComponent('forward')

  function peerTarget(exchange: Exchange, peerId: string, path: string, policy: HeaderPolicy): AttemptTarget {
    return {
      dispatcher: peerClients.dispatcher(peerId),
      path,
      policy,
      headers: outgoingHeaders(exchange, policy, { host: peerId }),
    }
  }

  function localTarget(exchange: Exchange, service: LocalService, path: string): AttemptTarget {
    const policy = exchange.door === 'local' ? 'own' : headerPolicyOf(service.name)
    const key = registry.apiKey(service.id)
    const server = localClients.dispatcher(service)
    return {
      dispatcher: exchange.door === 'peer' ? hidingIds(server, privateIdsOf(service)) : server,
      path: serverPath(service, path),
      policy,
      headers: outgoingHeaders(exchange, policy, {
        host: `${service.host.includes(':') ? `[${service.host}]` : service.host}:${service.port}`,
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      }),
    }
  }

  function planFor(exchange: Exchange, request: ServiceRequest, provider: Provider): TryPlan | undefined {
    const changesNothing = request.service === 'llm'
    if (provider.kind === 'peer') {
      const path = `/v1/_service/${request.service}${request.path}`
      const target = peerTarget(exchange, provider.peerId, path, headerPolicyOf(request.service))
      return { provider, target, body: exchange.body, mayRefuse: true, changesNothing }
    }
    const service = registry.get(provider.serviceId)
    if (service === undefined) return undefined
    const target = localTarget(exchange, service, request.path)
    return { provider, target, body: withServerModelId(exchange.body, service), mayRefuse: true, changesNothing }
  }

  async function run(exchange: Exchange, plan: TryPlan, tries: number): Promise<AttemptResult> {
    const { provider } = plan
    const peerId = provider.kind === 'peer' ? provider.peerId : host.peerId
    exchange.traffic.update(routeTaken(exchange, provider, tries))
    const selectMs = performance.now() - exchange.startedAt
    const request: AttemptRequest = {
      method: exchange.request.method ?? 'GET',
      body: plan.body,
      idleTimeoutMs: options.idleTimeoutMs,
      mayRefuse: plan.mayRefuse,
      ...(provider.kind === 'peer' ? { whyBrokenOff: () => reachability.whyBrokenOff(provider.peerId) } : {}),
      onData: createAliveReporter(() => reportSuccess(provider)),
      ownHeaders: (timing) => {
        exchange.traffic.firstByte()
        if (provider.kind === 'peer' && exchange.door === 'local') {
          exchange.traffic.update({ path: paths.pathTo(provider.peerId) })
        }
        return exchange.door === 'local' ? ownHeaders(exchange, { peerId, tries, selectMs, timing }) : {}
      },
    }
    const endOwn = provider.kind === 'self' && exchange.door === 'local' ? needs.admission.beginOwn() : undefined
    const endScored = provider.kind === 'peer' ? scores.begin(provider.peerId) : undefined
    let result = await attempt(plan.target, request, exchange.reply)
    if (mayRepeat(exchange, plan, result)) result = await attempt(plan.target, request, exchange.reply)
    endOwn?.()
    endScored?.('timing' in result ? result.timing.ttfbMs : undefined)
    exchange.traffic.tried(legOf(provider, result, selectMs, performance.now() - exchange.startedAt - selectMs))
    record(exchange, provider, result)
    if (result.kind === 'failed' && result.stage === 'refused-here') {
      throw new AppError('invalid_request', `This request can not be forwarded: ${result.reason}.`)
    }
    return result
  }

  /** Throws what went wrong while the client is untouched; one that has seen comments gets it as an error event. */
  function fail(exchange: Exchange, error: AppError): void {
    if (!exchange.reply.started) throw error
    exchange.reply.breakOff(error)
    finish(exchange, { status: error.status, error: error.code })
  }

  /** What the traffic feed learns when a try begins. To a peer who asks, how this node gets its answer is no path of his. */
  function routeTaken(exchange: Exchange, provider: Provider, tries: number): TrafficUpdate {
    if (exchange.door === 'peer') return { tries }
    if (provider.kind === 'self') return { tries, direction: 'local', peer: null, path: null }
    return { tries, direction: 'out', peer: provider.peerId }
  }

  function reportSuccess(provider: Provider): void {
    if (provider.kind === 'peer') reachability.reportSuccess(provider.peerId)
    else registry.reportSuccess(provider.serviceId)
  }

  function record(exchange: Exchange, provider: Provider, result: AttemptResult): void {
    const fields = {
      requestId: exchange.requestId,
      provider: provider.kind === 'peer' ? provider.peerId : provider.serviceId,
    }
    if (result.kind === 'relayed') {
      reportSuccess(provider)
      log.debug('a request was answered', {
        ...fields,
        status: result.status,
        ttfbMs: Math.round(result.timing.ttfbMs),
      })
      finish(exchange, { status: result.status })
    } else if (result.kind === 'cut') {
      if (!result.explained) reportFailure(provider, result.reason)
      log.warn('an answer broke off', { ...fields, reason: result.reason })
      const error = result.explained ? 'no_provider' : 'upstream_failed'
      finish(exchange, { status: result.status, error, cancelledBy: 'provider' })
    } else if (result.kind === 'client-gone') {
      log.debug('the client went away', fields)
      finish(exchange, { cancelledBy: 'client' })
    } else if (result.kind === 'failed') {
      if (result.stage !== 'refused-here') reportFailure(provider, result.reason)
      log.info('a try failed', { ...fields, reason: result.reason })
    } else log.info('a provider declined', { ...fields, status: result.status })
  }

  function reportFailure(provider: Provider, reason: string): void {
    if (provider.kind === 'peer') reachability.reportFailure(provider.peerId, reason)
    else registry.reportFailure(provider.serviceId)
  }

  function finish(exchange: Exchange, fields: Parameters<Exchange['traffic']['finish']>[0]): void {
    const tokens = exchange.reply.tokens()
    exchange.traffic.addBytes(bodyBytes(exchange), exchange.reply.bytes)
    exchange.traffic.finish({
      ...fields,
      ...(tokens === null ? {} : { tokens: tokens.count, tokensFrom: tokens.from, tokensIn: tokens.input }),
    })
  }

  return {
    async toProviders(exchange, request, providers) {
      const failed: FailedTry[] = []
      for (const provider of providers) {
        const plan = planFor(exchange, request, provider)
        if (plan === undefined) continue
        const result = await run(exchange, plan, failed.length + 1)
        if (result.kind !== 'failed' && result.kind !== 'refused')
          return result.kind === 'relayed' ? provider : undefined
        failed.push(toFailedTry(provider, result))
        if (!canBeSentAgain(exchange, result)) break
      }
      fail(exchange, allTriesFailed(request.what, failed))
      return undefined
    },

    async toLocalService(exchange, service, path) {
      const target = localTarget(exchange, service, path)
      const provider: Provider = { kind: 'self', serviceId: service.id }
      const body = withServerModelId(exchange.body, service)
      const plan = { provider, target, body, mayRefuse: false, changesNothing: service.name === 'llm' }
      const result = await run(exchange, plan, 1)
      if (result.kind === 'failed') fail(exchange, allTriesFailed(`"${service.name}"`, [toFailedTry(provider, result)]))
    },

    async toPeer(exchange, peerId, path) {
      const target = peerTarget(exchange, peerId, path, 'generic')
      const provider: Provider = { kind: 'peer', peerId }
      const plan = { provider, target, body: exchange.body, mayRefuse: false, changesNothing: false }
      const result = await run(exchange, plan, 1)
      if (result.kind === 'failed') fail(exchange, allTriesFailed('this path', [toFailedTry(provider, result)]))
    },
  }
}

/** Most servers have their OpenAI paths at `/v1/`, some under a prefix of their own. */
function serverPath({ basePath = '' }: LocalService, path: string): string {
  return path.startsWith('/v1/') ? `${basePath}${path}` : path
}

function outgoingHeaders(exchange: Exchange, policy: HeaderPolicy, ours: Headers): Headers {
  const headers = requestHeaders(exchange.request.headers, policy)
  // undici states the length of a body it holds; of a streamed one it needs to be told.
  if (exchange.body.kind !== 'stream') delete headers['content-length']
  if (exchange.body.kind === 'read' && exchange.body.contentType !== undefined) {
    headers['content-type'] = exchange.body.contentType
  }
  return { ...headers, ...ours, [HOPS_HEADER]: exchange.hops, 'x-request-id': exchange.requestId }
}

function ownHeaders(
  exchange: Exchange,
  facts: { peerId: string; tries: number; selectMs: number; timing: AttemptTiming },
): Headers {
  const { selectMs, timing } = facts
  const { connectMs, ttfbMs } = timing
  return {
    'x-computing-node': facts.peerId,
    'x-request-id': exchange.requestId,
    'x-ocf-tries': String(facts.tries),
    'server-timing': `select;dur=${selectMs.toFixed(2)}, connect;dur=${connectMs.toFixed(2)}, ttfb;dur=${ttfbMs.toFixed(2)}`,
  }
}

/** Size of the request's body; of a streamed one what the client declared. */
function bodyBytes({ body, request }: Exchange): number {
  if (body.kind === 'read') return body.bytes.byteLength
  return body.kind === 'stream' ? Number(request.headers['content-length'] ?? 0) : 0
}

/** A streamed body is gone once a byte of it was read; any other can be sent to the next provider. */
function canBeSentAgain(exchange: Exchange, result: AttemptResult): boolean {
  if (exchange.body.kind !== 'stream') return true
  const { stream } = exchange.body
  return result.kind === 'failed' && result.stage === 'connect' && !stream.readableDidRead && !stream.destroyed
}

const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])

/**
 * Whether a request lost on a connection that had idled is sent to the same provider once more. RFC 9110 §9.2.2 allows
 * it where the method is idempotent or the request is known to change nothing, as asking a model does not.
 */
function mayRepeat(exchange: Exchange, plan: TryPlan, result: AttemptResult): boolean {
  if (result.kind !== 'failed' || result.stage !== 'stale' || exchange.body.kind === 'stream') return false
  return plan.changesNothing || IDEMPOTENT_METHODS.has(exchange.request.method ?? 'GET')
}

function toFailedTry(provider: Provider, result: AttemptResult & { kind: 'failed' | 'refused' }): FailedTry {
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
