import type { UPnPNATClient } from '@libp2p/upnp-nat'
import type { Log } from '../../../logging/index.js'
import { describeGateway, type GatewayControl, type GatewayTimes } from './gateway-control.js'
import { externalAddressProblem, GatewayFault, GatewayProblems, type GatewayProblem } from './gateway-problem.js'
import { isRefusal, keyOf, OpenedPorts, type Listener, type OuterAddress } from './opened-ports.js'
import { SerialCalls } from './serial-calls.js'

/** What `@libp2p/upnp-nat` asks of a router. */
export type UpnpGateway = Awaited<ReturnType<UPnPNATClient['getGateway']>>
type Mapping = Awaited<ReturnType<UpnpGateway['map']>>
type MapOptions = Parameters<UpnpGateway['map']>[2]
type AbortOptions = Parameters<UpnpGateway['stop']>[0]

/** A router that answered, and what came of asking it. */
export interface GatewayFacts {
  host: string
  /** As the router gives it; undefined until it did. */
  externalIp: string | undefined
  /** `tcp 43905 → 43905`, the outer port first. */
  mappings: string[]
  /** Why it is of no use, or of less. */
  problem: GatewayProblem | undefined
}

/** What a {@link MappedGateway} needs of the node it opens ports for. */
export interface MappedGatewayNeeds {
  log: Log
  /** What this node listens on now. */
  listeners: () => readonly Listener[]
  /** The addresses this machine has in local networks now. */
  localAddresses: () => readonly string[]
  announce: (address: OuterAddress) => void
  withdraw: (address: OuterAddress) => void
  /** This node listens on ports the package did not ask for. */
  onUnmapped: () => void
  /** A port was opened, or leads here from a new address. */
  onOpened: () => void
  /** This machine left its network. */
  onLeft: () => void
  /** Aborted when the node stops. */
  stopped: AbortSignal
}

const MAX_PORTS = 16
/** A router may describe itself in several places, one for each generation of UPnP. */
const MAX_LOCATIONS = 4

/**
 * One router, as `@libp2p/upnp-nat` drives it: the package says which ports to map, and asks for the external address
 * again and again. On that beat this renews, retries and closes what the package asks for once or not at all.
 */
export class MappedGateway implements UpnpGateway {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly family = 'IPv4'
  /** This machine's address in the router's network. */
  readonly localAddress: string
  readonly #needs: MappedGatewayNeeds
  readonly #times: GatewayTimes
  readonly #ports: OpenedPorts
  readonly #problems: GatewayProblems
  readonly #calls: SerialCalls
  readonly #locations = new Set<string>()
  #control: GatewayControl | undefined
  #externalIp: string | undefined
  /** The external address while it may be true. */
  #usableIp: string | undefined
  #checkAtMs = 0
  /** Rounds in a row in which it did not answer in time. */
  #muteRounds = 0

  constructor(
    needs: MappedGatewayNeeds,
    at: Pick<MappedGateway, 'host' | 'port' | 'localAddress'>,
    times: GatewayTimes,
  ) {
    this.#needs = needs
    this.#times = times
    this.#ports = new OpenedPorts({ ...needs, router: at.host, renewMs: times.renewMs })
    this.#problems = new GatewayProblems(needs.log, at.host)
    // The package acts on an answer first.
    this.#calls = new SerialCalls(needs.stopped, () => this.#settle())
    this.host = at.host
    this.port = at.port
    this.localAddress = at.localAddress
    this.id = `${at.host} from ${at.localAddress}`
  }

  /** False once this machine has left the router's network. */
  get isHere(): boolean {
    return this.#needs.localAddresses().includes(this.localAddress)
  }

  /** It did not say what it can do, for want of an answer in time. */
  get isMute(): boolean {
    return this.#control === undefined && (this.#problems.current?.kind ?? 'no-answer') === 'no-answer'
  }

  /** Nothing more is about to open. */
  get isSettled(): boolean {
    const isOpen = (listener: Listener): boolean => this.#ports.outerPortOf(listener) !== undefined
    return this.#locations.size === 0 && (this.#problems.current !== undefined || this.#listenersHere().every(isOpen))
  }

  facts(): GatewayFacts {
    return {
      host: this.host,
      externalIp: this.#externalIp,
      mappings: this.#ports.lines(),
      problem: this.#problems.current,
    }
  }

  /**
   * Looks at a place where it describes itself, unless what it can do is known already. Resolves to whether it can open
   * ports; throws nothing.
   */
  async describe(location: URL): Promise<boolean> {
    const isKnown = this.#control !== undefined && this.#problems.current?.kind !== 'no-answer'
    // What failed in the last search may work in this one: only the places looked at together are bounded.
    if (isKnown || this.#locations.has(location.href) || this.#locations.size >= MAX_LOCATIONS) return isKnown
    this.#locations.add(location.href)
    try {
      const options = { signal: this.#needs.stopped, answerMs: this.#times.answerMs }
      this.#control = await describeGateway(location, options)
      this.#checkAtMs = 0
    } catch (error) {
      if (!this.#needs.stopped.aborted) this.#problems.note(error)
    } finally {
      this.#locations.delete(location.href)
    }
    return this.#control !== undefined
  }

  /** It answered a search, but where it describes itself is not looked at. */
  cannotDescribe(problem: GatewayProblem): void {
    if (this.#control === undefined) this.#problems.add(problem)
  }

  /** What this node listens on has changed. */
  listenersChanged(): void {
    this.#checkAtMs = 0
    this.#settle()
  }

  /**
   * The external address; between two looks at the router, what it gave last. Throws a {@link GatewayFault} where it gave
   * none that can be one.
   */
  async externalIp(options?: AbortOptions): Promise<string> {
    return this.#calls.run(options, async (signal) => {
      if (!this.isHere) await this.#leave()
      else if (performance.now() >= this.#checkAtMs) await this.#round(signal)
      const problem = this.#problems.current
      if (this.#externalIp !== undefined && problem?.kind !== 'bad-address') return this.#externalIp
      throw new GatewayFault(problem?.kind ?? 'no-answer', problem?.text ?? 'it is not here')
    })
  }

  async map(internalPort: number, internalHost: string, options?: MapOptions): Promise<Mapping> {
    const protocol = options?.protocol?.toUpperCase() === 'UDP' ? 'udp' : 'tcp'
    const key = keyOf({ protocol, host: internalHost, port: internalPort })
    const listener = this.#listenersHere().find((own) => keyOf(own) === key)
    if (listener === undefined) throw new GatewayFault('refused', 'that port is none of its network')
    return this.#calls.run(options, async (signal) => {
      this.#ports.askFor(listener)
      // A router that did not answer just now is left alone until the next round, which opens what was asked for.
      if (this.#control === undefined || this.#usableIp === undefined || this.#problems.current?.kind === 'no-answer')
        throw new GatewayFault('no-answer', this.#problems.current?.text ?? 'it has no address')
      if (this.#ports.outerPortOf(listener) === undefined) await this.#openAsked(this.#control, listener, signal)
      return {
        externalHost: this.#usableIp,
        externalPort: this.#ports.outerPortOf(listener) ?? listener.outerPort,
        internalHost,
        internalPort,
        protocol: protocol === 'udp' ? 'UDP' : 'TCP',
      }
    })
  }

  async *mapAll(internalPort: number, options?: MapOptions): AsyncGenerator<Mapping, void, unknown> {
    yield await this.map(internalPort, this.localAddress, options)
  }

  async unmap(internalPort: number, options?: AbortOptions): Promise<void> {
    await this.#calls.run(options, async (signal) => {
      const others = this.#listenersHere().filter(({ port }) => port !== internalPort)
      this.#ports.unaskFor(internalPort)
      await this.#ports.keepOnly(others, this.#control, signal)
    })
  }

  /** Closes all it opened; throws nothing. */
  async stop(options?: AbortOptions): Promise<void> {
    await this.#calls.idle()
    const late = AbortSignal.timeout(this.#times.closeMs)
    const signal = options?.signal === undefined ? late : AbortSignal.any([options.signal, late])
    await this.#ports.keepOnly([], this.#control, signal)
  }

  /** The package says where a port leads here from. Returns whether that is so. */
  announce(address: OuterAddress): boolean {
    return address.externalIp === this.#usableIp && this.#ports.announce(address)
  }

  /** The package takes that back. */
  withdraw(address: OuterAddress): void {
    this.#ports.withdraw(address)
  }

  #listenersHere(): Listener[] {
    return this.#needs
      .listeners()
      .filter(({ host }) => host === this.localAddress)
      .slice(0, MAX_PORTS)
  }

  /** Puts right what libp2p knows, and says what is new. */
  #settle(): void {
    this.#ports.announceAll(this.#usableIp)
    if (this.#ports.takeNews()) this.#needs.onOpened()
    if (this.#usableIp === undefined) return
    if (this.#listenersHere().some((listener) => !this.#ports.isAskedFor(listener))) this.#needs.onUnmapped()
  }

  #failRefused(problem: GatewayProblem): void {
    // Where other ports will not do, there is most likely a rule made by hand.
    this.#problems.add(problem, this.#listenersHere().every(({ anyOuterPort }) => anyOuterPort) ? 'warn' : 'info')
  }

  async #leave(): Promise<void> {
    const control = this.#control
    // It may have started anew, and describe itself elsewhere, when this machine comes back.
    this.#control = undefined
    this.#externalIp = undefined
    this.#usableIp = undefined
    this.#problems.clear()
    if (control !== undefined) this.#needs.onLeft()
    await this.#ports.keepOnly([], control, AbortSignal.timeout(this.#times.closeMs))
  }

  async #round(signal: AbortSignal): Promise<void> {
    this.#checkAtMs = performance.now() + this.#times.checkMs
    try {
      if (this.#control !== undefined) await this.#serve(this.#control, signal)
      this.#muteRounds = 0
    } catch (error) {
      this.#failed(error, signal)
      throw error
    }
  }

  /** A router that has just started, or has much to do, is asked again soon. */
  #failed(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#problems.note(error)
    const isMute = error instanceof GatewayFault && error.problem.kind === 'no-answer'
    const { checkMs, retryMs } = this.#times
    if (isMute) this.#checkAtMs = performance.now() + Math.min(checkMs, retryMs * 2 ** this.#muteRounds)
    this.#muteRounds = isMute ? this.#muteRounds + 1 : 0
  }

  /** Checks the external address, opens what is missing, renews what is old, closes what nothing listens on. */
  async #serve(control: GatewayControl, signal: AbortSignal): Promise<void> {
    const here = this.#listenersHere()
    const address = await control.externalAddress(signal)
    this.#externalIp = address.slice(0, 60)
    const wrong = externalAddressProblem(address)
    this.#usableIp = wrong === undefined ? address : undefined
    this.#ports.withdrawOthers(this.#usableIp)
    await this.#ports.keepOnly(here, control, signal)
    if (wrong?.kind === 'bad-address') throw new GatewayFault(wrong.kind, wrong.text)
    // Behind a second router the package maps nothing; but the outer one may forward everything to this one.
    const wanted = here.filter((listener) => wrong !== undefined || this.#ports.isAskedFor(listener))
    const refusal = await this.#ports.openDue(control, wanted, signal)
    if (wrong !== undefined) this.#problems.add(wrong)
    else if (refusal !== undefined) this.#failRefused(refusal)
    else this.#problems.clear()
  }

  /** Opens a port the package asks for; some routers have room for few. */
  async #openAsked(control: GatewayControl, listener: Listener, signal: AbortSignal): Promise<void> {
    await this.#ports.keepOnly(this.#listenersHere(), control, signal)
    try {
      await this.#ports.open(control, listener, signal)
    } catch (error) {
      if (!isRefusal(error)) this.#failed(error, signal)
      else if (this.#problems.current?.kind !== 'refused') this.#failRefused(error.problem)
      throw error
    }
  }
}
