import type { UPnPNATClient } from '@libp2p/upnp-nat'
import type { Log } from '../../../logging/index.js'
import type { GatewayTimes } from './gateway-control.js'
import type { LanInterface, SearchAnswer } from './gateway-search.js'
import { MappedGateway, type MappedGatewayNeeds, type UpnpGateway } from './mapped-gateway.js'
import type { OuterAddress } from './opened-ports.js'

/** What a {@link GatewayClient} needs of the node. */
export interface GatewayClientNeeds extends Omit<MappedGatewayNeeds, 'localAddresses' | 'onLeft' | 'stopped'> {
  /** The local networks this machine is in now. */
  interfaces: () => readonly LanInterface[]
  /** Asks these networks for routers. */
  search: (
    needs: { log: Log; onAnswer: (answer: SearchAnswer) => void },
    options: { signal: AbortSignal; interfaces: readonly LanInterface[] },
  ) => Promise<void>
}

/** What the search for routers came to. `unneeded`: this node listens at no address of a local network. */
export type SearchState = 'unneeded' | 'searching' | 'none' | 'found'

const MAX_GATEWAYS = 8

/**
 * The UPnP client `@libp2p/upnp-nat` works with (docs/decisions/0020). The package asks for a search far more often than
 * home networks bear; a search that is not due yields nothing and sends nothing.
 */
export class GatewayClient implements UPnPNATClient {
  readonly #needs: GatewayClientNeeds
  readonly #times: GatewayTimes
  readonly #gateways = new Map<string, MappedGateway>()
  readonly #stopped = new AbortController()
  #state: SearchState = 'searching'
  #searching: Promise<void> | undefined
  #searches = 0
  #searchAtMs = 0
  /** The local addresses the last search went out from. */
  #searchedFrom = ''
  /** Searches in a row after which a router had not described itself in time. */
  #muteSearches = 0

  constructor(needs: GatewayClientNeeds, times: GatewayTimes) {
    this.#needs = needs
    this.#times = times
  }

  get state(): SearchState {
    if (this.#state === 'found' && this.gateways().length === 0) return 'searching'
    return this.#state
  }

  /** The first search is not over. */
  get isFirstSearch(): boolean {
    return this.#searches === 0
  }

  /** The routers of the networks this machine is in. */
  gateways(): MappedGateway[] {
    return [...this.#gateways.values()].filter((gateway) => gateway.isHere)
  }

  /** What this node listens on has changed. */
  listenersChanged(): void {
    for (const gateway of this.gateways()) gateway.listenersChanged()
  }

  /** The package says where a port leads here from; passed on only if a router has it open there. */
  announce(address: OuterAddress): void {
    for (const gateway of this.#gateways.values()) if (gateway.announce(address)) return
  }

  /** The package takes that back. */
  withdraw(address: OuterAddress): void {
    for (const gateway of this.#gateways.values()) gateway.withdraw(address)
  }

  /** The package would cut a search short after its interval: this one ends after some seconds, or when the node stops. */
  async *findGateways(): AsyncGenerator<UpnpGateway, void, unknown> {
    const { signal } = this.#stopped
    if (signal.aborted || this.#searching !== undefined || !this.#isDue()) return
    const found = new ReadableStream<UpnpGateway>({
      start: (controller) => {
        this.#searching = this.#search(signal, (gateway) => controller.enqueue(gateway)).finally(() => {
          this.#searching = undefined
          controller.close()
        })
      },
    })
    yield* found.values({ preventCancel: true })
  }

  /** Routers are only taken from a search. */
  getGateway(descriptor: URL): Promise<UpnpGateway> {
    return Promise.reject(new Error(`no search found a router at ${descriptor.origin}`))
  }

  /** Closes every port. The package does so too, but within a second, and one that was just being opened stays. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#searching
    await Promise.all([...this.#gateways.values()].map(async (gateway) => gateway.stop()))
  }

  #isDue(): boolean {
    if (this.#needs.listeners().length === 0) {
      this.#state = 'unneeded'
      return false
    }
    if (this.#state === 'unneeded') this.#state = 'searching'
    return performance.now() >= this.#searchAtMs || this.#networks() !== this.#searchedFrom
  }

  async #search(signal: AbortSignal, onFound: (gateway: MappedGateway) => void): Promise<void> {
    const { log, search } = this.#needs
    this.#searchedFrom = this.#networks()
    const meetings: Promise<void>[] = []
    const onAnswer = (answer: SearchAnswer): void => void meetings.push(this.#meet(answer, onFound))
    try {
      await search({ log, onAnswer }, { signal, interfaces: this.#needs.interfaces() })
      await Promise.all(meetings)
    } catch (error) {
      log.error('the search for routers failed', { error })
    }
    if (this.#stopped.signal.aborted) return
    this.#searches += 1
    this.#searchAtMs = performance.now() + this.#pauseMs()
    if (this.gateways().length > 0) return
    if (this.#state !== 'none') log.info('no router answered that opens ports (UPnP)')
    this.#state = 'none'
  }

  /** A router that has just started, or has much to do, is asked again soon. */
  #pauseMs(): number {
    const { checkMs, retryMs, searchMs } = this.#times
    if (!this.gateways().some((gateway) => gateway.isMute)) {
      this.#muteSearches = 0
      return searchMs
    }
    this.#muteSearches += 1
    return Math.min(searchMs, checkMs, retryMs * 2 ** (this.#muteSearches - 1))
  }

  async #meet({ host, localAddress, found }: SearchAnswer, onFound: (gateway: MappedGateway) => void): Promise<void> {
    const key = `${host} ${localAddress}`
    const known = this.#gateways.get(key)
    if (known === undefined && this.gateways().length >= MAX_GATEWAYS) return
    const port = 'location' in found ? Number(found.location.port || 80) : 0
    const needs = {
      ...this.#needs,
      localAddresses: () => this.#needs.interfaces().map(({ address }) => address),
      onLeft: () => (this.#searchAtMs = 0),
      stopped: this.#stopped.signal,
    }
    const gateway = known ?? new MappedGateway(needs, { host, port, localAddress }, this.#times)
    this.#gateways.set(key, gateway)
    this.#state = 'found'
    if ('problem' in found) gateway.cannotDescribe(found.problem)
    else if (await gateway.describe(found.location)) onFound(gateway)
  }

  #networks(): string {
    return this.#needs
      .interfaces()
      .map(({ address }) => address)
      .join()
  }
}
