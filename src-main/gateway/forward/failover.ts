import type { Host } from '../../p2p/index.js'
import { MAX_ATTEMPTS, type Provider } from '../routing/choose-providers.js'
import type { RequestReach } from '../routing/reach.js'
import type { AttemptResult } from './attempt/request.js'
import type { Exchange } from './exchange.js'
import type { AttemptPlan } from './targets.js'
import type { AttemptOutcome } from './websocket.js'

/** Who gets a request next, and who got to read it. */
export interface Failover {
  /**
   * The next provider, or undefined when there is none, or the request can not be sent once more. With `pleases` none but
   * those that are there and please.
   */
  next(pleases?: (provider: Provider) => boolean): Provider | undefined
  /** Looks for others where nobody is left that is there; whether anybody is left to be asked then. */
  findMore(): Promise<boolean>
  /** True when another provider is there to be asked, that pleases where `pleases` is given. */
  hasAnother(pleases?: (provider: Provider) => boolean): boolean
  /** Peers that got to read the request, those that have it now among them. */
  readonly readers: number
  /** That one did not answer, and the client is untouched. */
  failed(exchange: Exchange, plan: AttemptPlan, result: AttemptOutcome): void
}

/**
 * Goes through `providers` in their order, chosen anew before each later attempt, for what was known of them is old by
 * then; except that a peer that is not connected (any more) comes after those that are
 * there: no request waits for a dial while somebody could answer it. A peer whose connection was lost is asked once more
 * after all others. Strangers get to read a request at most `mostStrangers` at a time.
 */
export function createFailover(
  needs: { host: Presence; reach: Pick<RequestReach, 'isTrusted'> },
  providers: readonly Provider[],
  options: FailoverOptions,
): Failover {
  return new OrderedFailover(needs, providers, options)
}

interface FailoverOptions {
  mostStrangers: () => number
  /** Who comes next where those of these ids, peers and own services, were asked already; without it the order stays. */
  chooseAgain?: ((asked: ReadonlySet<string>) => readonly Provider[]) | undefined
  /** Looks for others where those were asked; without it there are none. */
  findMore?: ((asked: ReadonlySet<string>) => Promise<readonly Provider[]>) | undefined
}

class OrderedFailover implements Failover {
  readonly #needs: Parameters<typeof createFailover>[0]
  readonly #options: FailoverOptions
  #left: readonly Provider[]
  /** Ids of peers and own services that were asked. */
  readonly #asked = new Set<string>()
  readonly #again: Provider[] = []
  readonly #askedAgain: Provider[] = []
  /** Peers that read the request, or are asked now and may: until it is known that nothing of it was sent. */
  readonly #readers = new Map<string, 'asked' | 'read'>()
  #canGoOn = true
  #hasLooked = false

  constructor(needs: Parameters<typeof createFailover>[0], providers: readonly Provider[], options: FailoverOptions) {
    this.#needs = needs
    this.#left = providers
    this.#options = options
  }

  next(pleases?: (provider: Provider) => boolean): Provider | undefined {
    this.#chooseAgain()
    while (this.#canGoOn) {
      const provider = pleases === undefined ? this.#takeNext() : this.#take(this.#another(pleases))
      if (provider !== undefined && !this.#mayRead(provider)) continue
      if (provider?.kind === 'peer' && !this.#readers.has(provider.peerId)) this.#readers.set(provider.peerId, 'asked')
      return provider
    }
    return undefined
  }

  async findMore(): Promise<boolean> {
    const { findMore } = this.#options
    const left = MAX_ATTEMPTS - this.#asked.size
    if (findMore === undefined || left <= 0 || !this.#canGoOn) return false
    // Whoever was found would be a stranger most likely; those that are left may be people one trusts.
    const found = this.#mayStrangersRead() ? await findMore(this.#asked) : []
    this.#hasLooked = true
    if (found.length > 0) this.#left = found.slice(0, left)
    return this.#left.length > 0
  }

  hasAnother(pleases: (provider: Provider) => boolean = () => true): boolean {
    return this.#canGoOn && this.#another(pleases) !== undefined
  }

  #another(pleases: (provider: Provider) => boolean): Provider | undefined {
    return this.#left.find(
      (provider) => isThere(this.#needs.host, provider) && this.#mayRead(provider) && pleases(provider),
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
    if (!this.#askedAgain.includes(provider) && mayComeAgain(this.#needs.host, exchange, plan, result))
      this.#again.push(provider)
  }

  #chooseAgain(): void {
    const { chooseAgain } = this.#options
    if (this.#asked.size === 0 || this.#left.length === 0 || chooseAgain === undefined) return
    this.#left = chooseAgain(this.#asked).slice(0, Math.max(0, MAX_ATTEMPTS - this.#asked.size))
  }

  #takeNext(): Provider | undefined {
    const provider = this.#left.find((one) => isThere(this.#needs.host, one)) ?? this.#left[0]
    if (provider !== undefined) return this.#shouldLook(provider) ? undefined : this.#take(provider)
    const again = this.#again.shift()
    if (again !== undefined) this.#askedAgain.push(again)
    return again
  }

  /** Those that may not be there are asked all at once, and others looked for beside them, rather than one by one. */
  #shouldLook(provider: Provider): boolean {
    if (this.#hasLooked || this.#asked.size === 0 || this.#options.findMore === undefined) return false
    return !isThere(this.#needs.host, provider)
  }

  #take(provider: Provider | undefined): Provider | undefined {
    if (provider === undefined) return undefined
    this.#left = this.#left.filter((one) => one !== provider)
    this.#asked.add(provider.kind === 'peer' ? provider.peerId : provider.serviceId)
    return provider
  }

  /** False for a stranger when as many others as may have read it already. */
  #mayRead(provider: Provider): boolean {
    if (provider.kind === 'self' || this.#readers.has(provider.peerId)) return true
    return this.#needs.reach.isTrusted(provider.peerId) || this.#mayStrangersRead()
  }

  #mayStrangersRead(): boolean {
    let strangers = 0
    for (const peerId of this.#readers.keys()) if (!this.#needs.reach.isTrusted(peerId)) strangers += 1
    return strangers < this.#options.mostStrangers()
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
