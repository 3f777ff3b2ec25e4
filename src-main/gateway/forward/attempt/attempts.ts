import { AppError } from '#shared/errors.js'
import type { Settings } from '../../../config/index.js'
import type { Host, PathLookup } from '../../../p2p/index.js'
import type { LocalService, ServiceRegistry } from '../../../services/index.js'
import type { Admission } from '../../../services/sharing/access/index.js'
import type { TrafficUpdate } from '../../../telemetry/index.js'
import { type LoopWatch, loopError } from '../../listener/loop-watch.js'
import type { Provider } from '../../routing/choose-providers.js'
import { routeText } from '../../routing/estimate/considered.js'
import type { Patience } from '../../routing/patience.js'
import type { ProviderHealth } from '../../routing/provider-health.js'
import type { ProviderScores } from '../../routing/provider-scores.js'
import { type AttemptRecord, createAliveReporter, type Exchange, trafficAttempt } from '../exchange.js'
import { isHarmlessTwice, mayRepeat } from '../failover.js'
import { addOwnHeaders } from '../headers.js'
import type { AttemptPlan } from '../targets.js'
import { type AttemptOutcome, isAccepted, relayUpgraded } from '../websocket.js'
import { AnswerPace } from './answer-pace.js'
import { attempt } from './attempt.js'
import { neverRelayed } from './error-body.js'
import type { Part } from './part.js'
import type { AttemptRequest } from './request.js'

/** What comes of an answer has to make a line or a KiB in so many ms. */
const DRIP_MS = 60_000

/** What attempts read and report to. */
interface AttemptsNeeds {
  host: Host
  paths: PathLookup
  health: ProviderHealth
  scores: ProviderScores
  patience: Patience
  registry: ServiceRegistry
  admission: Pick<Admission, 'beginOwn'>
  loops: Pick<LoopWatch, 'begin' | 'isProven'>
  record: AttemptRecord
}

/** One attempt under way, for the steps it is made of. */
interface Running {
  readonly exchange: Exchange
  readonly plan: AttemptPlan
  readonly part: Part
  readonly scored: ReturnType<ProviderScores['begin']>
  readonly pace: AnswerPace | undefined
  /** The server of this machine that it goes to. */
  readonly service: LocalService | undefined
  /** To be called once that begins to answer, or fails. */
  readonly begun: (() => void) | undefined
  readonly beganAt: number
  /** From the request's arrival until its provider was chosen. */
  readonly selectMs: number
}

/** Makes attempts of requests at providers, and has all who want to know learn what came of them. */
export class Attempts {
  readonly #needs: AttemptsNeeds
  readonly #settings: Readonly<Pick<Settings, 'gateway.idle-timeout'>>

  /** `settings` are read for each attempt. */
  constructor(needs: AttemptsNeeds, settings: Readonly<Pick<Settings, 'gateway.idle-timeout'>>) {
    this.#needs = needs
    this.#settings = settings
  }

  /**
   * Makes one, and another over a new connection where the first was lost before anything of it was sent.
   * @throws AppError `invalid_request` for what can't be sent as it is, `loop_detected` for what came back to this node
   */
  async run(exchange: Exchange, plan: AttemptPlan, part: Part): Promise<AttemptOutcome> {
    const { host, admission, loops } = this.#needs
    const running = this.#begin(exchange, plan, part)
    const { scored, service } = running
    const isPeer = plan.provider.kind === 'peer'
    const request = this.#requestOf(running)
    const endOwn = !isPeer && exchange.listener === 'local' ? admission.beginOwn() : undefined
    const sink = part.sink ?? exchange.reply
    let ended = await attempt(plan.target, request, sink)
    if (mayRepeat(host, exchange, plan, ended)) ended = await attempt(plan.target, request, sink)
    if (ended.kind === 'upgraded') scored.answered(ended.timing.ttfbMs)
    const result =
      ended.kind === 'upgraded' ? await relayUpgraded(exchange, ended, { ...request, ...plan.target }) : ended
    endOwn?.()
    this.#ended(running, result)
    if (result.kind === 'failed' && result.stage === 'refused-here') {
      throw new AppError('invalid_request', `This request can not be forwarded: ${result.reason}.`)
    }
    if (service !== undefined && loops.isProven(service.id) && result.kind !== 'relayed') throw loopError()
    return result
  }

  #begin(exchange: Exchange, plan: AttemptPlan, part: Part): Running {
    const { scores, registry, patience, loops } = this.#needs
    const { provider } = plan
    const isPeer = provider.kind === 'peer'
    const scored = isPeer
      ? scores.begin(provider.peerId, plan.work?.at(provider.peerId))
      : scores.begin(provider.serviceId)
    exchange.traffic.update(routeTaken(exchange, provider, part.attempts()))
    const selectMs = performance.now() - exchange.startedAt
    const idleMs = this.#settings['gateway.idle-timeout']
    const kind = part.contest?.patienceMs === undefined ? undefined : plan.kind
    const pace =
      kind === undefined ? undefined : new AnswerPace({ dripMs: DRIP_MS, silenceMs: patience.silenceMs(kind), idleMs })
    const service = isPeer ? undefined : registry.get(provider.serviceId)
    const begun = service && loops.begin(exchange, service)
    return { exchange, plan, part, scored, pace, service, begun, beganAt: performance.now(), selectMs }
  }

  #requestOf({ exchange, plan, part, scored, pace, begun, beganAt, selectMs }: Running): AttemptRequest {
    const { host, paths, health, record } = this.#needs
    const { provider } = plan
    const isPeer = provider.kind === 'peer'
    return {
      method: exchange.request.method ?? 'GET',
      body: plan.body,
      idleTimeoutMs: this.#settings['gateway.idle-timeout'],
      mayRefuse: plan.mayRefuse,
      neverRelayed: neverRelayed(exchange, plan),
      contest: part.contest,
      takes: part.takes,
      onCut: part.onCut,
      onLeaving: part.onLeaving,
      pace,
      whyBrokenOff: isPeer ? () => health.whyBrokenOff(provider.peerId) : undefined,
      isAccepted: exchange.reply.isHandshake ? (headers) => isAccepted(headers, exchange.request.headers) : undefined,
      onSuspect:
        isPeer && isHarmlessTwice(exchange, plan) ? this.#whenSuspect(provider.peerId, part.hasAnother) : undefined,
      holdsHead: plan.changesNothing,
      isComplete: plan.streamKind === undefined ? undefined : this.#isComplete(provider, plan.streamKind),
      onAnswer() {
        begun?.()
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
  }

  /** Tells what it cost and how it ended to those who choose the next provider, and to Traffic. */
  #ended({ exchange, plan, part, scored, pace, begun, selectMs }: Running, result: AttemptOutcome): void {
    const { patience, record } = this.#needs
    const { provider } = plan
    begun?.()
    if (result.kind === 'relayed') exchange.answeredBy = provider
    if (result.kind === 'refused') {
      scored.refused(result.retryAfterS === undefined ? undefined : result.retryAfterS * 1000)
    } else if (result.kind === 'failed' && provider.kind !== 'peer') scored.refused()
    else if ('timedOut' in result && result.timedOut) scored.stalled()
    else if (part.contest?.patienceMs !== undefined && isLeft(result)) scored.left(part.contest.patienceMs)
    scored.end()
    if (result.kind === 'relayed' && result.status < 300) {
      if (plan.kind !== undefined && pace?.firstMs !== undefined) {
        patience.learned(plan.kind, { firstMs: pace.firstMs, gapMs: pace.gapMs })
      }
      plan.work?.counted(exchange.reply.tokens()?.input ?? 0)
    }
    exchange.traffic.attempted(
      trafficAttempt(provider, result, selectMs, performance.now() - exchange.startedAt - selectMs),
    )
    record.ended(exchange, plan, result)
  }

  /** Hears of it when that peer is most likely gone, where somebody else is there, or another connection to it. */
  #whenSuspect(peerId: string, hasAnother: () => boolean): AttemptRequest['onSuspect'] {
    const { host } = this.#needs
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
  #isComplete(provider: Provider, kind: string): (endMarked: boolean) => boolean {
    const key = provider.kind === 'peer' ? provider.peerId : provider.serviceId
    return (endMarked) => this.#needs.health.reportEnd(key, kind, endMarked)
  }
}

/** What the traffic feed learns when an attempt begins. The path of a peer's request is the one it came by. */
function routeTaken(exchange: Exchange, provider: Provider, attempts: number): TrafficUpdate {
  if (exchange.listener === 'peer') return { tries: attempts }
  if (provider.kind === 'self') return { tries: attempts, direction: 'local', peer: null, path: null }
  return { tries: attempts, direction: 'out', peer: provider.peerId }
}

/** It ended before there was an answer, and not because it failed. */
const isLeft = ({ kind }: AttemptOutcome): boolean => kind === 'client-gone' || kind === 'overtaken'
