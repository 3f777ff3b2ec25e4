import type { Log } from '../../../logging/index.js'
import type { GatewayControl, OpenPort } from './gateway-control.js'
import { GatewayFault, type GatewayProblem } from './gateway-problem.js'

/** A port this node listens on, and the outer one it would like. */
export interface Listener {
  protocol: 'tcp' | 'udp'
  host: string
  port: number
  outerPort: number
  anyOuterPort: boolean
}

/** A way from an outer address to a port of this node, as libp2p's address manager takes it. */
export interface OuterAddress {
  protocol: 'tcp' | 'udp'
  innerHost: string
  innerPort: number
  externalIp: string
  outerPort: number
}

interface Opened {
  port: OpenPort
  /** Where it leads here from, as libp2p knows; undefined where the router's address is of no use. */
  announcedIp: string | undefined
  /** 0 until the router said that it is open. */
  renewAtMs: number
}

/** The ports one router opened for this node, and where libp2p believes that they lead here from. */
export class OpenedPorts {
  readonly #needs: OpenedPortsNeeds
  readonly #opened = new Map<string, Opened>()
  readonly #askedFor = new Set<string>()
  #hasNews = false

  constructor(needs: OpenedPortsNeeds) {
    this.#needs = needs
  }

  /** `tcp 43905 → 43905`, the outer port first. */
  lines(): string[] {
    return [...this.#opened.values()].flatMap(({ port, renewAtMs }) => (renewAtMs === 0 ? [] : [lineOf(port)]))
  }

  /** The outer port it is open at; undefined while it is not. */
  outerPortOf(listener: Listener): number | undefined {
    const entry = this.#opened.get(keyOf(listener))
    return entry === undefined || entry.renewAtMs === 0 ? undefined : entry.port.outerPort
  }

  /** It stays asked for, since the package asks once: what fails now is tried again, what comes back opened again. */
  askFor(listener: Listener): void {
    this.#askedFor.add(keyOf(listener))
  }

  unaskFor(innerPort: number): void {
    for (const key of this.#askedFor) if (key.endsWith(` ${innerPort}`)) this.#askedFor.delete(key)
  }

  isAskedFor(listener: Listener): boolean {
    return this.#askedFor.has(keyOf(listener))
  }

  /** Opens and renews what is due. Resolves to the first refusal; throws like {@link OpenedPorts.open} otherwise. */
  async openDue(
    control: GatewayControl,
    listeners: readonly Listener[],
    signal: AbortSignal,
  ): Promise<GatewayProblem | undefined> {
    let refusal: GatewayProblem | undefined
    for (const listener of listeners) {
      if (performance.now() < (this.#opened.get(keyOf(listener))?.renewAtMs ?? 0)) continue
      try {
        await this.open(control, listener, signal)
      } catch (error) {
        if (!isRefusal(error)) throw error
        refusal ??= error.problem
      }
    }
    return refusal
  }

  /** Opens a port or renews its lease. Throws a {@link GatewayFault}, or the reason of the signal. */
  async open(control: GatewayControl, listener: Listener, signal: AbortSignal): Promise<void> {
    const key = keyOf(listener)
    const before = this.#opened.get(key)
    const { protocol, host: innerHost, port: innerPort, anyOuterPort } = listener
    const outerPort = before?.port.outerPort ?? listener.outerPort
    const wish = { protocol, innerHost, innerPort, outerPort, anyOuterPort }
    // Noted beforehand: a node that stops meanwhile closes what the router may just have opened.
    const entry: Opened = before ?? { port: { ...wish, leaseSeconds: 0 }, announcedIp: undefined, renewAtMs: 0 }
    this.#opened.set(key, entry)
    let port: OpenPort
    try {
      port = await control.open(wish, signal)
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#forget(key, entry)
      const { message, code } = error
      throw new GatewayFault('refused', `it refuses to open ${protocol} port ${listener.outerPort} (${message})`, code)
    }
    const isNew = entry.renewAtMs === 0 || entry.port.outerPort !== port.outerPort
    if (isNew) this.#lead(entry, undefined)
    entry.port = port
    entry.renewAtMs = performance.now() + this.#needs.renewMs
    if (!isNew) return
    this.#hasNews = true
    const { log, router } = this.#needs
    log.info('the router opened a port', { router, mapping: lineOf(port), leaseSeconds: port.leaseSeconds })
  }

  /** Closes all ports but those of `listeners`. Throws nothing. */
  async keepOnly(
    listeners: readonly Listener[],
    control: GatewayControl | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const kept = new Set(listeners.map(keyOf))
    const others = [...this.#opened].filter(([key]) => !kept.has(key))
    await Promise.all(
      others.map(async ([key, entry]) => {
        this.#forget(key, entry)
        try {
          await control?.close(entry.port, signal)
        } catch (error) {
          const { log, router } = this.#needs
          const mapping = lineOf(entry.port)
          log.debug('a port of the router stays open until its lease ends', { router, mapping, error })
        }
      }),
    )
  }

  /** Takes back every address but those at `externalIp`. */
  withdrawOthers(externalIp: string | undefined): void {
    for (const entry of this.#opened.values()) if (entry.announcedIp !== externalIp) this.#lead(entry, undefined)
  }

  /** Has every open port lead here from `externalIp`, where libp2p does not know so yet. */
  announceAll(externalIp: string | undefined): void {
    for (const entry of this.#opened.values()) if (entry.renewAtMs > 0) this.#lead(entry, externalIp)
  }

  /** Tells libp2p of one address, if that port is open there. Returns whether it is. */
  announce(address: OuterAddress): boolean {
    const entry = this.#entryOf(address)
    if (entry === undefined || entry.renewAtMs === 0) return false
    this.#lead(entry, address.externalIp)
    return true
  }

  /** Takes one address back. */
  withdraw(address: OuterAddress): void {
    const entry = this.#entryOf(address)
    if (entry?.announcedIp === address.externalIp) this.#lead(entry, undefined)
  }

  /** Whether a port was opened, or leads here from a new address, since it was asked last. */
  takeNews(): boolean {
    const had = this.#hasNews
    this.#hasNews = false
    return had
  }

  #entryOf({ protocol, innerHost, innerPort, outerPort }: OuterAddress): Opened | undefined {
    const entry = this.#opened.get(keyOf({ protocol, host: innerHost, port: innerPort }))
    return entry?.port.outerPort === outerPort ? entry : undefined
  }

  #lead(entry: Opened, externalIp: string | undefined): void {
    const { innerHost, innerPort, outerPort, protocol } = entry.port
    const before = entry.announcedIp
    if (before === externalIp) return
    entry.announcedIp = externalIp
    const address = { protocol, innerHost, innerPort, outerPort }
    if (before !== undefined) this.#needs.withdraw({ ...address, externalIp: before })
    if (externalIp === undefined) return
    this.#needs.announce({ ...address, externalIp })
    this.#hasNews = true
  }

  #forget(key: string, entry: Opened): void {
    this.#lead(entry, undefined)
    this.#opened.delete(key)
  }
}

/** What {@link OpenedPorts} needs. */
export interface OpenedPortsNeeds {
  log: Log
  /** The router's address, for the log. */
  router: string
  /** libp2p's address manager: where this node may be reached from outside. */
  announce: (address: OuterAddress) => void
  withdraw: (address: OuterAddress) => void
  /** An open port is asked for again after so many milliseconds. */
  renewMs: number
}

/** It understood and said no. */
export const isRefusal = (error: unknown): error is GatewayFault =>
  error instanceof GatewayFault && error.problem.kind === 'refused'

/** What tells one port of this node from another. */
export const keyOf = ({ protocol, host, port }: Pick<Listener, 'protocol' | 'host' | 'port'>): string =>
  `${protocol} ${host} ${port}`

const lineOf = ({ protocol, outerPort, innerPort }: OpenPort): string => `${protocol} ${outerPort} → ${innerPort}`
