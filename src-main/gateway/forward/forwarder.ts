import type { TrafficCandidate } from '#shared/contract/node/traffic.js'
import { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import type { Log } from '../../logging/index.js'
import type { TrustedOffers } from '../../node-table/index.js'
import type { Host, PathLookup, PeerClients } from '../../p2p/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { TrafficUpdate } from '../../telemetry/index.js'
import { MAX_ATTEMPTS, type Provider } from '../routing/choose-providers.js'
import { routeText } from '../routing/estimate/considered.js'
import { queueingMs } from '../routing/estimate/estimate.js'
import { byLoad } from '../routing/own-servers.js'
import type { Patience } from '../routing/patience.js'
import type { ProviderHealth } from '../routing/provider-health.js'
import type { ProviderScores } from '../routing/provider-scores.js'
import type { RequestReach } from '../routing/reach.js'
import { AnswerPace } from './answer-pace.js'
import { attempt, type AttemptRequest } from './attempt.js'
import { createAliveReporter, createAttemptRecord, type Exchange, trafficAttempt } from './exchange.js'
import { canBeSentAgain, createFailover, isHarmlessTwice, mayComeAgain, mayRepeat } from './failover.js'
import { allAttemptsFailed, type FailedAttempt, whyFailed } from './failures.js'
import { addOwnHeaders } from './headers.js'
import type { LocalClients } from './local-clients.js'
import { DoubledRequests, Race, type RaceEntry } from './race.js'
import { type AttemptPlan, createTargets, type ServiceRequest } from './targets.js'
import { type AttemptOutcome, isAccepted, relayUpgraded } from './websocket.js'

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
  /** Counts the owner's own requests, which take slots from peers. */
  admission: Pick<Admission, 'beginOwn'>
  /** How a peer is connected at the moment. */
  paths: PathLookup
  log: Log
}

/** What comes of an answer has to make a line or a KiB in so many ms. */
const DRIP_MS = 60_000

/** `settings` are read for each attempt: a live change counts from the next one on. */
export function createForwarder(
  needs: ForwarderNeeds,
  settings: Readonly<Pick<Settings, 'gateway.idle-timeout' | 'use.exposure'>>,
): Forwarder {
  const { host, paths, health, scores, patience } = needs
  const doubled = new DoubledRequests()
  const targets = createTargets(needs)
  const record = createAttemptRecord({ ...needs, log: needs.log.forComponent('forward') })

  async function run(exchange: Exchange, plan: AttemptPlan, part: Part): Promise<AttemptOutcome> {
    const { provider } = plan
    const isPeer = provider.kind === 'peer'
    const scored = isPeer
      ? scores.begin(provider.peerId, plan.work?.at(provider.peerId))
      : scores.begin(provider.serviceId)
    exchange.traffic.update(routeTaken(exchange, provider, part.attempts()))
    const selectMs = performance.now() - exchange.startedAt
    const idleMs = settings['gateway.idle-timeout']
    const kind = part.contest?.patienceMs === undefined ? undefined : plan.kind
    const pace =
      kind === undefined ? undefined : new AnswerPace({ dripMs: DRIP_MS, silenceMs: patience.silenceMs(kind), idleMs })
    const beganAt = performance.now()
    const request: AttemptRequest = {
      method: exchange.request.method ?? 'GET',
      body: plan.body,
      idleTimeoutMs: idleMs,
      mayRefuse: plan.mayRefuse,
      neverRelayed: neverRelayed(exchange, plan),
      contest: part.contest,
      pace,
      whyBrokenOff: isPeer ? () => health.whyBrokenOff(provider.peerId) : undefined,
      isAccepted: exchange.reply.isHandshake ? (headers) => isAccepted(headers, exchange.request.headers) : undefined,
      onSuspect: isPeer && isHarmlessTwice(exchange, plan) ? whenSuspect(provider.peerId, part.hasAnother) : undefined,
      holdsHead: plan.changesNothing,
      isComplete: plan.streamKind === undefined ? undefined : isComplete(provider, plan.streamKind),
      onAnswer() {
        scored.answered(performance.now() - beganAt)
        if (isPeer) plan.work?.readBy(provider.peerId)
      },
      onData: createAliveReporter(() => record.success(provider, plan.offer)),
      addOwnHeaders(headers, timing) {
        exchange.traffic.firstByte()
        if (exchange.listener === 'peer') return
        exchange.traffic.update(routeTaken(exchange, provider, part.attempts()))
        if (isPeer) exchange.traffic.update({ path: paths.pathTo(provider.peerId) })
        addOwnHeaders(headers, {
          requestId: exchange.requestId,
          peerId: isPeer ? provider.peerId : host.peerId,
          attempts: part.attempts(),
          readers: part.readers(),
          selectMs,
          route: part.considered === undefined ? undefined : routeText(part.considered),
          timing,
        })
      },
    }
    const endOwn = !isPeer && exchange.listener === 'local' ? needs.admission.beginOwn() : undefined
    let ended = await attempt(plan.target, request, exchange.reply)
    if (mayRepeat(host, exchange, plan, ended)) ended = await attempt(plan.target, request, exchange.reply)
    if (ended.kind === 'upgraded') scored.answered(ended.timing.ttfbMs)
    const result =
      ended.kind === 'upgraded' ? await relayUpgraded(exchange, ended, { ...request, ...plan.target }) : ended
    endOwn?.()
    if (result.kind === 'relayed') exchange.answeredBy = provider
    if (result.kind === 'refused') {
      scored.refused(result.retryAfterS === undefined ? undefined : result.retryAfterS * 1000)
    } else if (result.kind === 'failed' && !isPeer) scored.refused()
    else if ('timedOut' in result && result.timedOut) scored.stalled()
    else if (part.contest?.patienceMs !== undefined && isLeft(result)) scored.left(part.contest.patienceMs)
    scored.end()
    if (kind !== undefined && pace?.firstMs !== undefined && result.kind === 'relayed' && result.status < 300) {
      patience.learned(kind, { firstMs: pace.firstMs, gapMs: pace.gapMs })
    }
    if (result.kind === 'relayed' && result.status < 300) plan.work?.counted(exchange.reply.tokens()?.input ?? 0)
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
    const part = (attempts: number): Part => ({
      attempts: () => attempts,
      readers: () => readers,
      hasAnother: () => false,
    })
    let result = await run(exchange, plan, part(1))
    if (mayComeAgain(host, exchange, plan, result)) result = await run(exchange, plan, part(2))
    if (result.kind === 'failed') fail(exchange, allAttemptsFailed(what, [toFailedAttempt(plan.provider, result)]))
  }

  /** How long that provider may keep the request waiting before another one gets it, too. */
  function patienceAt(exchange: Exchange, plan: AttemptPlan): number | undefined {
    const { kind } = plan
    if (kind === undefined || exchange.reply.isHandshake || !isHarmlessTwice(exchange, plan)) return undefined
    const bodyBytes = plan.body.kind === 'read' ? plan.body.bytes.byteLength : 0
    return patience.firstMs(kind, { bodyBytes, queueingMs: queueingMs(scores.load(kind.peerId)) })
  }

  return {
    async toProviders(exchange, request, providers) {
      const failed: FailedAttempt[] = []
      const failover = createFailover(needs, providers, () => settings['use.exposure'])
      const race: Race = new Race({
        ...{ failover, doubled },
        plan: (provider) => targets.ofProvider(exchange, request, provider),
        patienceMs: (plan) => patienceAt(exchange, plan),
        run: (plan, contest) =>
          run(exchange, plan, {
            contest,
            considered: request.considered,
            attempts: () => race.attempts,
            readers: () => failover.readers,
            hasAnother: () => contest.hasAnother,
          }),
        failed(plan, result) {
          failed.push(toFailedAttempt(plan.provider, result))
          failover.failed(exchange, plan, result)
        },
      })
      const isAnswered = await race.run()
      if (!isAnswered) fail(exchange, allAttemptsFailed(request.what, failed))
    },

    async toOwnServices(exchange, services, path) {
      const order = byLoad(scores, services).slice(0, MAX_ATTEMPTS)
      const failed: FailedAttempt[] = []
      for (const [index, service] of order.entries()) {
        // What has been read of a stream cannot be sent to another: whatever comes of it is the answer.
        const mayRefuse = index + 1 < order.length && exchange.body.kind !== 'stream'
        const plan = targets.ofService(exchange, service, path, mayRefuse)
        const part = { attempts: () => index + 1, readers: () => 0, hasAnother: () => mayRefuse }
        const result = await run(exchange, plan, part)
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

/** An attempt's part in its exchange. */
interface Part {
  /** Where others may be asked for the same request. */
  contest?: RaceEntry
  /** The peers the exchange may go to. */
  considered?: readonly TrafficCandidate[]
  /** Attempts so far, this one among them. */
  attempts: () => number
  /** Peers that got to read the request so far. */
  readers: () => number
  /** Another provider is there. */
  hasAnother: () => boolean
}

/** To the client it would look like its own key, and there is nothing that it could do about it. */
const LOCKED: ReadonlySet<number> = new Set([401])
/** A node says 403 of itself, too; between a node and its server it means the same, and a redirect leads nowhere. */
const SERVERS_OWN: ReadonlySet<number> = new Set([401, 403, 301, 302, 303, 307, 308])

/** What a model server says to the node of its owner, and not to who asks through that. */
function neverRelayed(
  { listener }: Exchange,
  { provider, changesNothing }: AttemptPlan,
): AttemptRequest['neverRelayed'] {
  if (!changesNothing) return undefined
  if (provider.kind === 'peer') return LOCKED
  return listener === 'peer' ? SERVERS_OWN : undefined
}

/** It ended before there was an answer, and not because it failed. */
const isLeft = ({ kind }: AttemptOutcome): boolean => kind === 'client-gone' || kind === 'overtaken'

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
