import { AppError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import type { PeerClients } from '../../p2p/http/peer-clients.js'
import type { PathLookup } from '../../p2p/dial/path-lookup.js'
import type { Host } from '../../p2p/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { TrafficUpdate } from '../../telemetry/traffic.js'
import { createAliveReporter, legOf, createTryRecord } from './attempt-record.js'
import { attempt, type AttemptRequest, type AttemptTiming, type AttemptResult } from './attempt.js'
import type { Provider } from '../routing/choose-providers.js'
import type { Exchange, FailedTry } from './exchange.js'
import { allTriesFailed } from './failures.js'
import type { Headers } from './headers.js'
import type { LocalClients } from './local-clients.js'
import type { ProviderScores } from '../routing/provider-scores.js'
import type { ProviderHealth } from '../routing/provider-health.js'
import { relayUpgraded, type TryResult, isAccepted } from './websocket.js'
import { createTargets, type ServiceRequest, type TryPlan } from './targets.js'

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

export interface ForwarderNeeds {
  host: Host
  peerClients: PeerClients
  localClients: LocalClients
  registry: ServiceRegistry
  reachability: ProviderHealth
  scores: ProviderScores
  /** Hears of the owner's own requests, which take places from peers. */
  admission: Pick<Admission, 'beginOwn'>
  /** How a peer is connected at the moment. */
  paths: PathLookup
  log: Log
}

export function createForwarder(needs: ForwarderNeeds, options: { idleTimeoutMs: number }): Forwarder {
  const { host, paths, reachability, scores } = needs
  const targets = createTargets(needs)
  const record = createTryRecord({ ...needs, log: needs.log.forComponent('forward') })

  async function run(exchange: Exchange, plan: TryPlan, tries: number): Promise<TryResult> {
    const { provider } = plan
    const isPeer = provider.kind === 'peer'
    const scored = isPeer ? scores.begin(provider.peerId) : undefined
    exchange.traffic.update(routeTaken(exchange, provider, tries))
    const selectMs = performance.now() - exchange.startedAt
    const request: AttemptRequest = {
      method: exchange.request.method ?? 'GET',
      body: plan.body,
      idleTimeoutMs: options.idleTimeoutMs,
      mayRefuse: plan.mayRefuse,
      whyBrokenOff: isPeer ? () => reachability.whyBrokenOff(provider.peerId) : undefined,
      isAccepted: exchange.reply.isHandshake ? (headers) => isAccepted(headers, exchange.request.headers) : undefined,
      onData: createAliveReporter(() => record.success(provider)),
      addOwnHeaders(headers, timing) {
        exchange.traffic.firstByte()
        scored?.answered(timing.ttfbMs)
        if (exchange.door === 'peer') return
        if (isPeer) exchange.traffic.update({ path: paths.pathTo(provider.peerId) })
        addOwnHeaders(headers, exchange, { peerId: isPeer ? provider.peerId : host.peerId, tries, selectMs, timing })
      },
    }
    const endOwn = !isPeer && exchange.door === 'local' ? needs.admission.beginOwn() : undefined
    let tried = await attempt(plan.target, request, exchange.reply)
    if (mayRepeat(exchange, plan, tried)) tried = await attempt(plan.target, request, exchange.reply)
    const result =
      tried.kind === 'upgraded' ? await relayUpgraded(exchange, tried, { ...request, ...plan.target }) : tried
    endOwn?.()
    if (isFull(result)) scored?.refused(result.retryAfterS === undefined ? undefined : result.retryAfterS * 1000)
    scored?.end()
    exchange.traffic.attempted(legOf(provider, result, selectMs, performance.now() - exchange.startedAt - selectMs))
    record.ended(exchange, provider, result)
    if (result.kind === 'failed' && result.stage === 'refused-here') {
      throw new AppError('invalid_request', `This request can not be forwarded: ${result.reason}.`)
    }
    return result
  }

  /** Throws what went wrong while the client is untouched; one that has seen comments gets it as an error event. */
  function fail(exchange: Exchange, error: AppError): void {
    if (!exchange.reply.started) throw error
    exchange.reply.breakOff(error)
    record.finish(exchange, { status: error.status, error: error.code })
  }

  /** What the traffic feed learns when a try begins. To a peer who asks, how this node gets its answer is no path of his. */
  function routeTaken(exchange: Exchange, provider: Provider, tries: number): TrafficUpdate {
    if (exchange.door === 'peer') return { tries }
    if (provider.kind === 'self') return { tries, direction: 'local', peer: null, path: null }
    return { tries, direction: 'out', peer: provider.peerId }
  }

  /** A try that nothing follows. */
  async function only(exchange: Exchange, plan: TryPlan, what: string): Promise<void> {
    const result = await run(exchange, plan, 1)
    if (result.kind === 'failed') fail(exchange, allTriesFailed(what, [toFailedTry(plan.provider, result)]))
  }

  return {
    async toProviders(exchange, request, providers) {
      const failed: FailedTry[] = []
      const waiting = [...providers]
      for (const [index, provider] of waiting.entries()) {
        const plan = targets.ofProvider(exchange, request, provider)
        if (plan === undefined) continue
        const result = await run(exchange, plan, failed.length + 1)
        if (result.kind !== 'failed' && result.kind !== 'refused')
          return result.kind === 'relayed' ? provider : undefined
        failed.push(toFailedTry(provider, result))
        if (!canBeSentAgain(exchange, result)) break
        if (index < providers.length && mayComeAgain(exchange, plan, result)) waiting.push(provider)
      }
      fail(exchange, allTriesFailed(request.what, failed))
      return undefined
    },

    async toLocalService(exchange, service, path) {
      await only(exchange, targets.ofService(exchange, service, path), `"${service.name}"`)
    },

    async toPeer(exchange, peerId, path) {
      await only(exchange, targets.ofPeer(exchange, peerId, path), 'this path')
    },
  }
}

/** The provider has no place free; a refusal for other reasons says nothing of its load. */
function isFull(result: TryResult): result is TryResult & { kind: 'refused' } {
  return result.kind === 'refused' && result.status === 429
}

/** What this machine's own app is told about how its answer came to be. */
function addOwnHeaders(
  headers: Headers,
  exchange: Exchange,
  { peerId, tries, selectMs, timing }: { peerId: string; tries: number; selectMs: number; timing: AttemptTiming },
): void {
  headers['x-computing-node'] = peerId
  headers['x-request-id'] = exchange.requestId
  headers['x-ocf-tries'] = String(tries)
  headers['server-timing'] =
    `select;dur=${hundredths(selectMs)}, connect;dur=${hundredths(timing.connectMs)}, ttfb;dur=${hundredths(timing.ttfbMs)}`
  // Which headers are sent depends on whether a web page asks.
  const { vary } = headers
  headers['vary'] = vary === undefined ? 'Origin' : `${Array.isArray(vary) ? vary.join(', ') : vary}, Origin`
}

/** As `toFixed(2)` would have it, without trailing zeros, at a tenth of its price. */
const hundredths = (ms: number): number => Math.round(ms * 100) / 100

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
