import { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import type { Log } from '../../logging/index.js'
import type { Host, PathLookup, PeerClients } from '../../p2p/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { TrafficUpdate } from '../../telemetry/index.js'
import { MAX_ATTEMPTS, type Provider } from '../routing/choose-providers.js'
import { byLoad } from '../routing/own-servers.js'
import type { ProviderHealth } from '../routing/provider-health.js'
import type { ProviderScores } from '../routing/provider-scores.js'
import type { RequestReach } from '../routing/reach.js'
import { attempt, type AttemptRequest, type AttemptTiming } from './attempt.js'
import { createAliveReporter, createAttemptRecord, type Exchange, trafficAttempt } from './exchange.js'
import { canBeSentAgain, createFailover, isHarmlessTwice, mayComeAgain, mayRepeat } from './failover.js'
import { allAttemptsFailed, type FailedAttempt, whyFailed } from './failures.js'
import type { Headers } from './headers.js'
import type { LocalClients } from './local-clients.js'
import { type AttemptPlan, createTargets, type ServiceRequest } from './targets.js'
import { type AttemptOutcome, isAccepted, relayUpgraded } from './websocket.js'

/** Sends exchanges to where they belong and relays the answers. */
export interface Forwarder {
  /**
   * Asks the providers in order until one answers; resolves to that one, or to undefined where the client has been
   * answered otherwise.
   * @throws AppError `upstream_failed`, `upstream_timeout`, `provider_busy`, `no_provider` while the client is untouched
   */
  toProviders(
    exchange: Exchange,
    request: ServiceRequest,
    providers: readonly Provider[],
  ): Promise<Provider | undefined>
  /**
   * Asks this machine's own services that can serve it, the least busy first, until one answers; the last one's response
   * is final.
   * @throws AppError as {@link Forwarder.toProviders}
   */
  toOwnServices(exchange: Exchange, services: readonly LocalService[], path: string): Promise<void>
  /** One attempt at another peer's listener, whose response is final. */
  toPeer(exchange: Exchange, peerId: string, path: string): Promise<void>
}

export interface ForwarderNeeds {
  host: Host
  peerClients: PeerClients
  localClients: LocalClients
  registry: ServiceRegistry
  health: ProviderHealth
  scores: ProviderScores
  reach: Pick<RequestReach, 'isTrusted'>
  /** Counts the owner's own requests, which take slots from peers. */
  admission: Pick<Admission, 'beginOwn'>
  /** How a peer is connected at the moment. */
  paths: PathLookup
  log: Log
}

/** `settings` are read for each attempt: a live change counts from the next one on. */
export function createForwarder(
  needs: ForwarderNeeds,
  settings: Readonly<Pick<Settings, 'gateway.idle-timeout' | 'use.exposure'>>,
): Forwarder {
  const { host, paths, health, scores } = needs
  const targets = createTargets(needs)
  const record = createAttemptRecord({ ...needs, log: needs.log.forComponent('forward') })

  async function run(
    exchange: Exchange,
    plan: AttemptPlan,
    { attempts, readers, hasAnother }: { attempts: number; readers: number; hasAnother: () => boolean },
  ): Promise<AttemptOutcome> {
    const { provider } = plan
    const isPeer = provider.kind === 'peer'
    const scored = scores.begin(isPeer ? provider.peerId : provider.serviceId)
    exchange.traffic.update(routeTaken(exchange, provider, attempts))
    const selectMs = performance.now() - exchange.startedAt
    const request: AttemptRequest = {
      method: exchange.request.method ?? 'GET',
      body: plan.body,
      idleTimeoutMs: settings['gateway.idle-timeout'],
      mayRefuse: plan.mayRefuse,
      whyBrokenOff: isPeer ? () => health.whyBrokenOff(provider.peerId) : undefined,
      isAccepted: exchange.reply.isHandshake ? (headers) => isAccepted(headers, exchange.request.headers) : undefined,
      onSuspect: isPeer && isHarmlessTwice(exchange, plan) ? whenSuspect(provider.peerId, hasAnother) : undefined,
      isComplete: plan.streamKind === undefined ? undefined : isComplete(provider, plan.streamKind),
      onData: createAliveReporter(() => record.success(provider, plan.offer)),
      addOwnHeaders(headers, timing) {
        exchange.traffic.firstByte()
        scored.answered(timing.ttfbMs)
        if (exchange.listener === 'peer') return
        if (isPeer) exchange.traffic.update({ path: paths.pathTo(provider.peerId) })
        addOwnHeaders(headers, exchange, {
          peerId: isPeer ? provider.peerId : host.peerId,
          attempts,
          readers,
          selectMs,
          timing,
        })
      },
    }
    const endOwn = !isPeer && exchange.listener === 'local' ? needs.admission.beginOwn() : undefined
    let ended = await attempt(plan.target, request, exchange.reply)
    if (mayRepeat(host, exchange, plan, ended)) ended = await attempt(plan.target, request, exchange.reply)
    const result =
      ended.kind === 'upgraded' ? await relayUpgraded(exchange, ended, { ...request, ...plan.target }) : ended
    endOwn?.()
    if (result.kind === 'refused') {
      scored.refused(result.retryAfterS === undefined ? undefined : result.retryAfterS * 1000)
    } else if (result.kind === 'failed' && !isPeer) scored.refused()
    scored.end()
    exchange.traffic.attempted(
      trafficAttempt(provider, result, selectMs, performance.now() - exchange.startedAt - selectMs),
    )
    record.ended(exchange, plan, result)
    if (result.kind === 'failed' && result.stage === 'refused-here') {
      throw new AppError('invalid_request', `This request can not be forwarded: ${result.reason}.`)
    }
    return result
  }

  /** Hears of it when that peer is most likely gone, where somebody else is there, or another connection to it. */
  function whenSuspect(peerId: string, hasAnother: () => boolean): AttemptRequest['onSuspect'] {
    const { liveness } = host
    if (liveness === undefined) return undefined
    return (leave) =>
      liveness.onSuspect((connection) => {
        if (connection.remotePeer.toString() !== peerId) return
        const hasOtherConnection = !liveness.isDoubted(host.connectionsTo(peerId))
        leave({ connection, hasOtherProvider: hasAnother(), hasOtherConnection })
      })
  }

  /** Whether an event stream that ended cleanly is complete, going by how those of the same kind ended before. */
  function isComplete(provider: Provider, kind: string): (endMarked: boolean) => boolean {
    const key = provider.kind === 'peer' ? provider.peerId : provider.serviceId
    return (endMarked) => health.reportEnd(key, kind, endMarked)
  }

  /** Throws what went wrong while the client is untouched; one that has seen comments gets it as an error event. */
  function fail(exchange: Exchange, error: AppError): void {
    if (!exchange.reply.started) throw error
    exchange.reply.breakOff(error)
    record.finish(exchange, { status: error.status, error: error.code })
  }

  /** What the traffic feed learns when an attempt begins. The path of a peer's request is the one it came by. */
  function routeTaken(exchange: Exchange, provider: Provider, attempts: number): TrafficUpdate {
    if (exchange.listener === 'peer') return { tries: attempts }
    if (provider.kind === 'self') return { tries: attempts, direction: 'local', peer: null, path: null }
    return { tries: attempts, direction: 'out', peer: provider.peerId }
  }

  /** An attempt that no other provider's follows. */
  async function only(exchange: Exchange, plan: AttemptPlan, what: string): Promise<void> {
    const readers = plan.provider.kind === 'peer' ? 1 : 0
    const about = { readers, hasAnother: () => false }
    let result = await run(exchange, plan, { ...about, attempts: 1 })
    if (mayComeAgain(host, exchange, plan, result)) result = await run(exchange, plan, { ...about, attempts: 2 })
    if (result.kind === 'failed') fail(exchange, allAttemptsFailed(what, [toFailedAttempt(plan.provider, result)]))
  }

  return {
    async toProviders(exchange, request, providers) {
      const failed: FailedAttempt[] = []
      const failover = createFailover(needs, providers, () => settings['use.exposure'])
      for (let provider = failover.next(); provider !== undefined; provider = failover.next()) {
        const plan = targets.ofProvider(exchange, request, provider)
        if (plan === undefined) continue
        const readers = failover.readersWith(provider)
        const hasAnother = (): boolean => failover.hasAnother()
        const result = await run(exchange, plan, { attempts: failed.length + 1, readers, hasAnother })
        if (result.kind !== 'failed' && result.kind !== 'refused') {
          return result.kind === 'relayed' ? provider : undefined
        }
        failed.push(toFailedAttempt(provider, result))
        failover.failed(exchange, plan, result)
      }
      fail(exchange, allAttemptsFailed(request.what, failed))
      return undefined
    },

    async toOwnServices(exchange, services, path) {
      const order = byLoad(scores, services).slice(0, MAX_ATTEMPTS)
      const failed: FailedAttempt[] = []
      for (const [index, service] of order.entries()) {
        // What has been read of a stream cannot be sent to another: whatever comes of it is the answer.
        const mayRefuse = index + 1 < order.length && exchange.body.kind !== 'stream'
        const plan = targets.ofService(exchange, service, path, mayRefuse)
        const result = await run(exchange, plan, { attempts: index + 1, readers: 0, hasAnother: () => mayRefuse })
        if (result.kind !== 'failed' && result.kind !== 'refused') return
        failed.push(toFailedAttempt(plan.provider, result))
        if (!canBeSentAgain(exchange, result)) break
      }
      fail(exchange, allAttemptsFailed(`"${services[0]?.name ?? ''}"`, failed))
    },

    async toPeer(exchange, peerId, path) {
      await only(exchange, targets.ofPeer(exchange, peerId, path), 'this path')
    },
  }
}

/** Tells this machine's own app how its answer came to be. */
function addOwnHeaders(
  headers: Headers,
  exchange: Exchange,
  {
    peerId,
    attempts,
    readers,
    selectMs,
    timing,
  }: { peerId: string; attempts: number; readers: number; selectMs: number; timing: AttemptTiming },
): void {
  headers['x-computing-node'] = peerId
  headers['x-request-id'] = exchange.requestId
  headers['x-ocf-tries'] = String(attempts)
  headers['x-ocf-sent-to'] = String(readers)
  headers['server-timing'] =
    `select;dur=${hundredths(selectMs)}, connect;dur=${hundredths(timing.connectMs)}, ttfb;dur=${hundredths(timing.ttfbMs)}`
  // Which headers are sent depends on whether a web page asks.
  const { vary } = headers
  headers['vary'] = vary === undefined ? 'Origin' : `${Array.isArray(vary) ? vary.join(', ') : vary}, Origin`
}

/** As `toFixed(2)` would have it, without trailing zeros, at a tenth of its price. */
const hundredths = (ms: number): number => Math.round(ms * 100) / 100

/** What the sentence of a failed request says of one attempt. */
function toFailedAttempt(provider: Provider, result: AttemptOutcome & { kind: 'failed' | 'refused' }): FailedAttempt {
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
