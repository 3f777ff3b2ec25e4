import type { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import type { Log } from '../../logging/index.js'
import type { NodeTable, TrustedOffers } from '../../node-table/index.js'
import type { Host, PathLookup, PeerClients } from '../../p2p/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import { ClientGoneError } from '../body/read-body.js'
import { CONTINUES_HEADER, ContinuingServers } from '../continue/at-provider.js'
import { continuationOf } from '../continue/continuation.js'
import { LeavingProviders } from '../continue/leaving.js'
import type { LoopWatch } from '../listener/loop-watch.js'
import { MAX_ATTEMPTS, type Provider } from '../routing/choose-providers.js'
import { queueingMs } from '../routing/estimate/estimate.js'
import { Hedging } from '../routing/estimate/hedging.js'
import type { ModelCatalog } from '../routing/model-catalog.js'
import { byLoad } from '../routing/own-servers.js'
import type { Patience } from '../routing/patience.js'
import type { ProviderHealth } from '../routing/provider-health.js'
import type { ProviderScores } from '../routing/provider-scores.js'
import type { RequestReach } from '../routing/reach.js'
import { Attempts } from './attempt/attempts.js'
import type { Part } from './attempt/part.js'
import { createAttemptRecord, type Exchange } from './exchange.js'
import { canBeSentAgain, createFailover, isHarmlessTwice, mayComeAgain } from './failover.js'
import { allAttemptsFailed, type FailedAttempt, toFailedAttempt } from './failures.js'
import type { LocalClients } from './local-clients.js'
import { DoubledRequests, Race } from './race.js'
import type { Reply } from './reply.js'
import { type AttemptPlan, createTargets, type ServiceRequest } from './targets.js'
import type { AttemptOutcome } from './websocket.js'

/** Sends exchanges to where they belong and relays the answers. */
export interface Forwarder {
  /**
   * Asks the providers in order until one answers.
   * @throws AppError `upstream_failed`, `upstream_timeout`, `provider_busy`, `no_provider` while the client is untouched
   */
  toProviders(exchange: Exchange, request: ServiceRequest, providers: readonly Provider[]): Promise<void>
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
  patience: Patience
  reach: Pick<RequestReach, 'isTrusted'>
  offers: Pick<TrustedOffers, 'ask'>
  table: Pick<NodeTable, 'subscribe'>
  models: Pick<ModelCatalog, 'facts'>
  /** Counts the owner's own requests, which take slots from peers. */
  admission: Pick<Admission, 'beginOwn'>
  /** How a peer is connected at the moment. */
  paths: PathLookup
  /** Tells of own servers that forward to this node. */
  loops: Pick<LoopWatch, 'begin' | 'isProven'>
  log: Log
}

/** `settings` are read for each attempt: a live change counts from the next one on. */
export function createForwarder(
  needs: ForwarderNeeds,
  settings: Readonly<Pick<Settings, 'gateway.idle-timeout' | 'use.exposure' | 'use.continue' | 'use.hedge'>>,
): Forwarder {
  const { host, scores, patience } = needs
  const doubled = new DoubledRequests()
  const hedging = new Hedging(needs)
  const targets = createTargets(needs)
  const servers = new ContinuingServers(needs)
  const record = createAttemptRecord({ ...needs, log: needs.log.forComponent('forward') })
  const attempts = new Attempts({ ...needs, record }, settings)

  /** Throws what went wrong while the client is untouched; one that has seen comments gets it as an error event. */
  function fail(exchange: Exchange, error: AppError): void {
    if (!exchange.reply.started) throw error
    exchange.reply.breakOff(error)
    record.finish(exchange, { status: error.status, error: error.code })
  }

  /** An attempt that no other provider's follows. */
  async function only(exchange: Exchange, plan: AttemptPlan, what: string): Promise<void> {
    const readers = plan.provider.kind === 'peer' ? 1 : 0
    const part = (made: number): Part => ({
      attempts: () => made,
      readers: () => readers,
      hasAnother: () => false,
    })
    let result = await attempts.run(exchange, plan, part(1))
    if (mayComeAgain(host, exchange, plan, result)) result = await attempts.run(exchange, plan, part(2))
    if (result.kind === 'failed') fail(exchange, allAttemptsFailed(what, [toFailedAttempt(plan.provider, result)]))
  }

  /** How long that provider may keep the request waiting before another one gets it, too. */
  function patienceAt(exchange: Exchange, plan: AttemptPlan): number | undefined {
    const { kind } = plan
    if (kind === undefined || exchange.reply.isHandshake || !isHarmlessTwice(exchange, plan)) return undefined
    const bodyBytes = plan.body.kind === 'read' ? plan.body.bytes.byteLength : 0
    return patience.firstMs(kind, { bodyBytes, queueingMs: queueingMs(scores.load(kind.peerId)) })
  }

  const continuing = {
    ...{
      peerId: host.peerId,
      targets,
      servers,
      leaving: new LeavingProviders(needs.table),
      registry: needs.registry,
      settings,
      patienceMs: patienceAt,
    },
    facts: (model: string, peerId: string) => needs.models.facts(model, peerId),
  }

  /** After how long the first token of a stream is late there, where another provider may be asked because of that. */
  function lateAfterMs(exchange: Exchange, plan: AttemptPlan): number | undefined {
    const { kind, work } = plan
    const isOn = settings['use.hedge'] && kind?.isStreamed === true && isHarmlessTwice(exchange, plan)
    return isOn && work !== undefined ? hedging.lateAfterMs(kind.peerId, work) : undefined
  }

  return {
    async toProviders(exchange, request, providers) {
      const failed: FailedAttempt[] = []
      const { findMore } = request
      const failover = createFailover(needs, providers, {
        mostStrangers: () => settings['use.exposure'],
        chooseAgain: request.chooseAgain,
        findMore: findMore && ((asked) => whileThere(exchange.reply, findMore(asked))),
      })
      const continuation = continuationOf(continuing, exchange, request)
      let lost: { plan: AttemptPlan; result: AttemptOutcome & { kind: 'cut' } } | undefined
      const part = {
        considered: request.considered,
        attempts: () => race.attempts,
        readers: () => failover.readers,
      }
      const race: Race = new Race({
        ...{ failover, doubled },
        plan: (provider) => targets.ofProvider(exchange, request, provider),
        patienceMs: (plan) => patienceAt(exchange, plan),
        hedge: {
          lateAfterMs: (plan) => lateAfterMs(exchange, plan),
          takes: (provider, waitedMs) => hedging.takes(provider, request.work, waitedMs),
        },
        async run(plan, contest) {
          const hasAnother = (): boolean => contest.hasAnother
          const result = await attempts.run(exchange, plan, {
            ...part,
            ...{ contest, hasAnother, onCut: () => continuation?.onCut(plan.provider, failover) === true },
            onLeaving: continuation?.onLeaving(plan.provider, failover),
          })
          if (result.kind === 'cut' && result.goesOn) lost = { plan, result }
          return result
        },
        failed(plan, result) {
          failed.push(toFailedAttempt(plan.provider, result))
          failover.failed(exchange, plan, result)
        },
      })
      const isAnswered = await race.run()
      if (!isAnswered) fail(exchange, allAttemptsFailed(request.what, failed))
      if (lost === undefined) return
      let made = race.attempts
      await continuation?.goOn(lost.plan.provider, lost.result, {
        failover,
        run(plan, continued) {
          made += 1
          return attempts.run(exchange, plan, { ...part, ...continued, attempts: () => made, hasAnother: () => false })
        },
        finished(error) {
          record.finish(exchange, { status: 200, ...(error && { error: error.code, cancelledBy: 'provider' }) })
        },
      })
    },

    async toOwnServices(exchange, all, path) {
      let services = all
      if (exchange.listener === 'peer' && exchange.request.headers[CONTINUES_HEADER] !== undefined) {
        const prepared = await servers.prepare(all, exchange.body, path)
        exchange.body = prepared.body
        services = prepared.services
      }
      const order = byLoad(scores, services).slice(0, MAX_ATTEMPTS)
      const failed: FailedAttempt[] = []
      for (const [index, service] of order.entries()) {
        // What has been read of a stream cannot be sent to another: whatever comes of it is the answer.
        const mayRefuse = index + 1 < order.length && exchange.body.kind !== 'stream'
        const plan = targets.ofService(exchange, service, path, mayRefuse)
        const part = { attempts: () => index + 1, readers: () => 0, hasAnother: () => mayRefuse }
        const result = await attempts.run(exchange, plan, part)
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

/** What comes of it. @throws ClientGoneError where the client goes away meanwhile */
async function whileThere<T>(reply: Reply, work: Promise<T>): Promise<T> {
  const gone = Promise.withResolvers<never>()
  const onGone = (): void => gone.reject(new ClientGoneError())
  reply.onGone(onGone)
  try {
    if (reply.gone) onGone()
    return await Promise.race([work, gone.promise])
  } finally {
    reply.offGone(onGone)
  }
}
