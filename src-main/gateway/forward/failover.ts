import type { Host } from '../../p2p/index.js'
import type { Provider } from '../routing/choose-providers.js'
import type { RequestReach } from '../routing/reach.js'
import type { AttemptResult } from './attempt.js'
import type { Exchange } from './exchange.js'
import type { AttemptPlan } from './targets.js'
import type { AttemptOutcome } from './websocket.js'

/** Who gets a request next, and who got to read it. */
export interface Failover {
  /** The next provider, or undefined when there is none, or the request can not be sent once more. */
  next(): Provider | undefined
  /** True when another provider is there to be asked. */
  hasAnother(): boolean
  /** Peers that got to read the request, those that have it now among them. */
  readonly readers: number
  /** That one did not answer, and the client is untouched. */
  failed(exchange: Exchange, plan: AttemptPlan, result: AttemptOutcome): void
}

/**
 * Goes through `providers` in their order, except that a peer that is not connected (any more) comes after those that are
 * there: no request waits for a dial while somebody could answer it. A peer whose connection was lost is asked once more
 * after all others. Strangers get to read a request at most `mostStrangers` at a time.
 */
export function createFailover(
  needs: { host: Presence; reach: Pick<RequestReach, 'isTrusted'> },
  providers: readonly Provider[],
  mostStrangers: () => number,
): Failover {
  return new OrderedFailover(needs, providers, mostStrangers)
}

class OrderedFailover implements Failover {
  readonly #needs: Parameters<typeof createFailover>[0]
  readonly #mostStrangers: () => number
  readonly #left: Provider[]
  readonly #again: Provider[] = []
  readonly #askedAgain = new Set<Provider>()
  /** Peers that read the request, or are asked now and may: until it is known that nothing of it was sent. */
  readonly #readers = new Map<string, 'asked' | 'read'>()
  #canGoOn = true

  constructor(
    needs: Parameters<typeof createFailover>[0],
    providers: readonly Provider[],
    mostStrangers: () => number,
  ) {
    this.#needs = needs
    this.#left = [...providers]
    this.#mostStrangers = mostStrangers
  }

  next(): Provider | undefined {
    while (this.#canGoOn) {
      const provider = this.#takeNext()
      if (provider !== undefined && !this.#mayRead(provider)) continue
      if (provider?.kind === 'peer' && !this.#readers.has(provider.peerId)) this.#readers.set(provider.peerId, 'asked')
      return provider
    }
    return undefined
  }

  hasAnother(): boolean {
    return (
      this.#canGoOn && this.#left.some((provider) => isThere(this.#needs.host, provider) && this.#mayRead(provider))
    )
  }

  get readers(): number {
    return this.#readers.size
  }

  failed(exchange: Exchange, plan: AttemptPlan, result: AttemptOutcome): void {
    const { provider } = plan
    if (provider.kind === 'peer') {
      if (!isUnsent(result)) this.#readers.set(provider.peerId, 'read')
      else if (this.#readers.get(provider.peerId) === 'asked') this.#readers.delete(provider.peerId)
    }
    this.#canGoOn = canBeSentAgain(exchange, result)
    if (!this.#askedAgain.has(provider) && mayComeAgain(this.#needs.host, exchange, plan, result))
      this.#again.push(provider)
  }

  #takeNext(): Provider | undefined {
    const there = this.#left.findIndex((provider) => isThere(this.#needs.host, provider))
    const [provider] = this.#left.splice(Math.max(0, there), 1)
    if (provider !== undefined) return provider
    const again = this.#again.shift()
    if (again !== undefined) this.#askedAgain.add(again)
    return again
  }

  /** False for a stranger when as many others as may have read it already. */
  #mayRead(provider: Provider): boolean {
    if (provider.kind === 'self' || this.#readers.has(provider.peerId)) return true
    if (this.#needs.reach.isTrusted(provider.peerId)) return true
    let strangers = 0
    for (const peerId of this.#readers.keys()) if (!this.#needs.reach.isTrusted(peerId)) strangers += 1
    return strangers < this.#mostStrangers()
  }
}

/** What tells whether a peer is there. */
type Presence = Pick<Host, 'isConnected' | 'connectionsTo' | 'liveness'>

/** This node itself, or a peer that is connected and whose liveness is in no doubt. */
function isThere(host: Presence, provider: Provider): boolean {
  if (provider.kind === 'self') return true
  if (!host.isConnected(provider.peerId)) return false
  return host.liveness?.isDoubted(host.connectionsTo(provider.peerId)) !== true
}

/** Nothing of the request left this machine. */
const isUnsent = (result: AttemptOutcome): boolean => result.kind === 'failed' && result.unsent

/** A streamed body is gone once a byte of it was read; any other can be sent to the next provider. */
export function canBeSentAgain(exchange: Exchange, result: AttemptOutcome): boolean {
  if (exchange.body.kind !== 'stream') return true
  const { stream } = exchange.body
  const wasEarly = result.kind === 'failed' && (result.stage === 'connect' || result.stage === 'way-lost')
  return wasEarly && !stream.readableDidRead && !stream.destroyed
}

const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])

/**
 * Whether a request lost on a connection that had idled is sent to the same provider once more, at once. RFC 9110 §9.2.2
 * allows it where the method is idempotent or the request is known to change nothing, as asking a model does not. Where
 * the whole peer is gone it waits for those that are there.
 */
export function mayRepeat(host: Presence, exchange: Exchange, plan: AttemptPlan, result: AttemptResult): boolean {
  if (result.kind !== 'failed' || result.stage !== 'stale' || !isHarmlessTwice(exchange, plan)) return false
  return isThere(host, plan.provider)
}

/** Whether a provider whose connection or relay is gone is asked once more, over another way, after all others. */
export function mayComeAgain(host: Presence, exchange: Exchange, plan: AttemptPlan, result: AttemptOutcome): boolean {
  if (result.kind !== 'failed') return false
  const there = isThere(host, plan.provider)
  const isLost =
    result.stage === 'way-lost' ||
    // One that is there was asked again at once.
    (result.stage === 'stale' && !there) ||
    // Its connection was cut, and it has another.
    (result.stage === 'before-headers' && result.cause === 'silent' && !result.timedOut && there)
  if (!isLost) return false
  return result.unsent || isHarmlessTwice(exchange, plan)
}

/** A request whose body is at hand and that may be done twice. */
export function isHarmlessTwice(exchange: Exchange, plan: Pick<AttemptPlan, 'changesNothing'>): boolean {
  if (exchange.body.kind === 'stream') return false
  return plan.changesNothing || IDEMPOTENT_METHODS.has(exchange.request.method ?? 'GET')
}
