import { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import type { Log } from '../../logging/index.js'
import type { Host, PathLookup, PeerClients } from '../../p2p/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { TrafficUpdate } from '../../telemetry/index.js'
import type { Provider } from '../routing/choose-providers.js'
import type { ProviderHealth } from '../routing/provider-health.js'
import type { ProviderScores } from '../routing/provider-scores.js'
import type { RequestReach } from '../routing/reach.js'
import { attempt, type AttemptRequest, type AttemptResult, type AttemptTiming } from './attempt.js'
import { createAliveReporter, createAttemptRecord, type Exchange, trafficAttempt } from './exchange.js'
import { allAttemptsFailed, type FailedAttempt } from './failures.js'
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
  /** One attempt at this machine's own service, whose response is final. */
  toLocalService(exchange: Exchange, service: LocalService, path: string): Promise<void>
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
  const { host, paths, health, scores, reach } = needs
  const targets = createTargets(needs)
  const record = createAttemptRecord({ ...needs, log: needs.log.forComponent('forward') })

  async function run(
    exchange: Exchange,
    plan: AttemptPlan,
    { attempts, readers }: { attempts: number; readers: number },
  ): Promise<AttemptOutcome> {
    const { provider } = plan
    const isPeer = provider.kind === 'peer'
    const scored = isPeer ? scores.begin(provider.peerId) : undefined
    exchange.traffic.update(routeTaken(exchange, provider, attempts))
    const selectMs = performance.now() - exchange.startedAt
    const request: AttemptRequest = {
      method: exchange.request.method ?? 'GET',
      body: plan.body,
      idleTimeoutMs: settings['gateway.idle-timeout'],
      mayRefuse: plan.mayRefuse,
      whyBrokenOff: isPeer ? () => health.whyBrokenOff(provider.peerId) : undefined,
      isAccepted: exchange.reply.isHandshake ? (headers) => isAccepted(headers, exchange.request.headers) : undefined,
      onData: createAliveReporter(() => record.success(provider, plan.offer)),
      addOwnHeaders(headers, timing) {
        exchange.traffic.firstByte()
        scored?.answered(timing.ttfbMs)
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
    if (mayRepeat(exchange, plan, ended)) ended = await attempt(plan.target, request, exchange.reply)
    const result =
      ended.kind === 'upgraded' ? await relayUpgraded(exchange, ended, { ...request, ...plan.target }) : ended
    endOwn?.()
    if (result.kind === 'refused') {
      scored?.refused(result.retryAfterS === undefined ? undefined : result.retryAfterS * 1000)
    }
    scored?.end()
    exchange.traffic.attempted(
      trafficAttempt(provider, result, selectMs, performance.now() - exchange.startedAt - selectMs),
    )
    record.ended(exchange, plan, result)
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

  /** What the traffic feed learns when an attempt begins. The path of a peer's request is the one it came by. */
  function routeTaken(exchange: Exchange, provider: Provider, attempts: number): TrafficUpdate {
    if (exchange.listener === 'peer') return { tries: attempts }
    if (provider.kind === 'self') return { tries: attempts, direction: 'local', peer: null, path: null }
    return { tries: attempts, direction: 'out', peer: provider.peerId }
  }

  /** An attempt that no other follows. */
  async function only(exchange: Exchange, plan: AttemptPlan, what: string): Promise<void> {
    const readers = plan.provider.kind === 'peer' ? 1 : 0
    const result = await run(exchange, plan, { attempts: 1, readers })
    if (result.kind === 'failed') fail(exchange, allAttemptsFailed(what, [toFailedAttempt(plan.provider, result)]))
  }

  return {
    async toProviders(exchange, request, providers) {
      const failed: FailedAttempt[] = []
      const readers = new Readers(reach)
      // Filled by the first round: whose relay went quiet is asked once more after all others.
      const wayLost: Provider[] = []
      let canGoOn = true
      for (const round of [providers, wayLost]) {
        for (const provider of round) {
          if (!canGoOn || !readers.mayGet(provider, settings['use.exposure'])) continue
          const plan = targets.ofProvider(exchange, request, provider)
          if (plan === undefined) continue
          const result = await run(exchange, plan, { attempts: failed.length + 1, readers: readers.with(provider) })
          if (!isUnsent(result)) readers.add(provider)
          if (result.kind !== 'failed' && result.kind !== 'refused')
            return result.kind === 'relayed' ? provider : undefined
          failed.push(toFailedAttempt(provider, result))
          canGoOn = canBeSentAgain(exchange, result)
          if (round === providers && mayComeAgain(exchange, plan, result)) wayLost.push(provider)
        }
      }
      fail(exchange, allAttemptsFailed(request.what, failed))
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

/** The peers that got to read a request. */
class Readers {
  readonly #reach: Pick<RequestReach, 'isTrusted'>
  readonly #peers = new Set<string>()
  readonly #strangers = new Set<string>()

  constructor(reach: Pick<RequestReach, 'isTrusted'>) {
    this.#reach = reach
  }

  /** False for a stranger when as many others as may have read it already. */
  mayGet(provider: Provider, mostStrangers: number): boolean {
    if (provider.kind === 'self' || this.#strangers.size < mostStrangers) return true
    return this.#strangers.has(provider.peerId) || this.#reach.isTrusted(provider.peerId)
  }

  /** How many there are with that one. */
  with(provider: Provider): number {
    return this.#peers.size + (provider.kind === 'self' || this.#peers.has(provider.peerId) ? 0 : 1)
  }

  add(provider: Provider): void {
    if (provider.kind === 'self') return
    this.#peers.add(provider.peerId)
    if (!this.#reach.isTrusted(provider.peerId)) this.#strangers.add(provider.peerId)
  }
}

/** Nothing of the request left this machine. */
const isUnsent = (result: AttemptOutcome): boolean =>
  result.kind === 'failed' && (result.stage === 'connect' || result.stage === 'refused-here')

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

/** A streamed body is gone once a byte of it was read; any other can be sent to the next provider. */
function canBeSentAgain(exchange: Exchange, result: AttemptOutcome): boolean {
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
function mayRepeat(exchange: Exchange, plan: { changesNothing: boolean }, result: AttemptResult): boolean {
  return result.kind === 'failed' && result.stage === 'stale' && isHarmlessTwice(exchange, plan)
}

/** Whether a provider whose relay went quiet is asked once more, over another way, after all others. */
function mayComeAgain(exchange: Exchange, plan: { changesNothing: boolean }, result: AttemptOutcome): boolean {
  return result.kind === 'failed' && result.stage === 'way-lost' && isHarmlessTwice(exchange, plan)
}

function isHarmlessTwice(exchange: Exchange, plan: { changesNothing: boolean }): boolean {
  if (exchange.body.kind === 'stream') return false
  return plan.changesNothing || IDEMPOTENT_METHODS.has(exchange.request.method ?? 'GET')
}

/** What the sentence of a failed request says of one attempt. */
function toFailedAttempt(provider: Provider, result: AttemptOutcome & { kind: 'failed' | 'refused' }): FailedAttempt {
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
