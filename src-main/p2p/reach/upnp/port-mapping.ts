import { start, stop, type Startable } from '@libp2p/interface'
import type { UPnPNAT, uPnPNAT } from '@libp2p/upnp-nat'
import type { Log } from '../../../logging/index.js'
import { relayOf } from '../../dial/ip-scope.js'
import { override } from '../override.js'
import { GatewayClient, type GatewayClientNeeds, type SearchState } from './gateway-client.js'
import type { GatewayTimes } from './gateway-control.js'
import { lanInterfaces, searchGateways } from './gateway-search.js'
import type { GatewayFacts } from './mapped-gateway.js'
import type { Listener, OuterAddress } from './opened-ports.js'

/** What UPnP came to. */
export interface PortMappingFacts {
  state: 'off' | SearchState
  gateways: GatewayFacts[]
}

export const NO_PORT_MAPPING: PortMappingFacts = { state: 'off', gateways: [] }

/** Has routers open this node's ports. */
export interface PortMapping extends Startable {
  facts(): PortMappingFacts
  /** True just after the start, while ports may be about to open: before that nobody gets through. */
  isSettling(): boolean
  /** Calls `listener` whenever a port was opened; returns the way to stop. */
  onOpened(listener: () => void): () => void
}

/** How routers are asked. */
export interface PortMappingOptions extends Partial<Pick<GatewayClientNeeds, 'interfaces' | 'search'>> {
  /**
   * Given where the user gave the address of this node: a rule made by hand may have the ports already. Then no other
   * outer ports are asked for, and where a port was given with the address only that one is.
   */
  publicAddress?: { port: number | undefined } | undefined
  times?: Partial<GatewayTimes>
}

const TIMES: GatewayTimes = {
  checkMs: 2 * 60_000,
  retryMs: 15_000,
  searchMs: 10 * 60_000,
  renewMs: 10 * 60_000,
  // One on the same cable answers in milliseconds; a small one that is busy takes a second.
  answerMs: 4_000,
  closeMs: 1_500,
}
/** Routers answer within a second or not at all, and then take some to open ports. */
const SETTLING_MS = { searching: 2_000, asking: 10_000 }
/** In which a router says its address, and renews and closes what is due. */
const ROUND_LIMIT_MS = 60_000

/** With the method that maps what is not mapped: the package calls it only after five seconds without news. */
type MappingService = UPnPNAT & { mapIpAddresses(): Promise<void> }
type Components = Parameters<ReturnType<typeof uPnPNAT>>[0]
type AddressManager = Components['addressManager']
type ListenAddress = ReturnType<AddressManager['getAddressesWithMetadata']>[number]

/**
 * `@libp2p/upnp-nat` with a client of our own (docs/decisions/0020). What comes of it is announced once a peer has
 * dialled it (`own-addresses.ts`), so a router that lies costs nothing.
 */
export function portMapping(
  needs: { log: Log },
  options: PortMappingOptions = {},
): (components: Components) => PortMapping {
  return (components) => new UpnpPortMapping(needs.log, options, components)
}

class UpnpPortMapping implements PortMapping {
  readonly #options: PortMappingOptions
  readonly #addressManager: AddressManager
  readonly #client: GatewayClient
  readonly #components: Components
  readonly #times: GatewayTimes
  readonly #log: Log
  readonly #openedListeners = new Set<() => void>()
  readonly #interfaces: GatewayClientNeeds['interfaces']
  #service: MappingService | undefined
  #starting: Promise<void> | undefined
  #startedMs = 0

  constructor(log: Log, options: PortMappingOptions, components: Components) {
    this.#options = options
    this.#components = components
    this.#log = log
    this.#times = { ...TIMES, ...options.times }
    this.#addressManager = components.addressManager
    this.#interfaces = options.interfaces ?? lanInterfaces
    this.#client = new GatewayClient(
      {
        log,
        interfaces: this.#interfaces,
        search: options.search ?? searchGateways,
        listeners: () => [...this.#wanted().values()].map(({ listener }) => listener),
        announce: (address) => this.#addressManager.addPublicAddressMapping(...argumentsOf(address)),
        withdraw: (address) => this.#addressManager.removePublicAddressMapping(...argumentsOf(address)),
        onUnmapped: () => void this.#service?.mapIpAddresses(),
        onOpened: () => this.#openedListeners.forEach((listener) => listener()),
      },
      this.#times,
    )
  }

  facts(): PortMappingFacts {
    return { state: this.#client.state, gateways: this.#client.gateways().map((gateway) => gateway.facts()) }
  }

  isSettling(): boolean {
    const sinceMs = performance.now() - this.#startedMs
    if (sinceMs > SETTLING_MS.asking) return false
    const gateways = this.#client.gateways()
    if (gateways.length === 0) return this.#client.isFirstSearch && sinceMs < SETTLING_MS.searching
    return gateways.some((gateway) => !gateway.isSettled)
  }

  onOpened(listener: () => void): () => void {
    this.#openedListeners.add(listener)
    return () => this.#openedListeners.delete(listener)
  }

  start(): void {
    this.#startedMs = performance.now()
  }

  afterStart(): void {
    this.#components.events.addEventListener('transport:listening', this.#onListening)
    this.#starting = this.#startService().catch((error: unknown) => {
      this.#log.error('routers cannot be asked for ports', { error })
    })
  }

  async stop(): Promise<void> {
    this.#components.events.removeEventListener('transport:listening', this.#onListening)
    await this.#client.stop()
    await this.#starting
    await stop(this.#service)
  }

  /** Loaded once all else is up: that takes a while, and nodes that ask no router need none of it. */
  async #startService(): Promise<void> {
    const { uPnPNAT } = await import('@libp2p/upnp-nat')
    const { retryMs } = this.#times
    const create = uPnPNAT({
      portMappingClient: this.#client,
      externalAddressCheckInterval: retryMs,
      externalAddressCheckTimeout: ROUND_LIMIT_MS,
      initialGatewaySearchInterval: retryMs,
      // Taken for the interval once there is a router; another one would start a second chain of searches.
      gatewaySearchTimeout: retryMs,
    })
    this.#service = create(override(this.#components, { addressManager: this.#guarded() })) as MappingService
    await start(this.#service)
  }

  /** Transports start to listen one after the other. */
  readonly #onListening = (): void => this.#client.listenersChanged()

  /** The address manager as the package sees it: what may be mapped, and only what routers really have open. */
  #guarded(): AddressManager {
    return override(this.#addressManager, {
      getAddressesWithMetadata: () => [...this.#wanted().values()].map(({ address }) => address),
      addPublicAddressMapping: (...args) => this.#client.announce(outerAddressOf(args)),
      removePublicAddressMapping: (...args) => this.#client.withdraw(outerAddressOf(args)),
    })
  }

  /** Ports this node listens on in local networks, IPv4: routers open IPv6 by other means, if at all. */
  #wanted(): Map<string, { listener: Listener; address: ListenAddress }> {
    const here = this.#interfaces().map(({ address }) => address)
    const outer = this.#options.publicAddress
    const found = new Map<string, { listener: Listener; address: ListenAddress }>()
    for (const address of this.#addressManager.getAddressesWithMetadata()) {
      const text = address.multiaddr.toString()
      const [, , host = '', protocol, portText = '', ...rest] = text.split('/')
      if (address.type !== 'transport' || relayOf(text) !== undefined || !here.includes(host)) continue
      if (protocol !== 'tcp' && protocol !== 'udp') continue
      // Only plain TCP is announced of a public address that was given with its port.
      if (outer?.port !== undefined && (protocol !== 'tcp' || rest[0] === 'ws')) continue
      const port = Number(portText)
      const listener = {
        protocol,
        host,
        port,
        outerPort: outer?.port ?? port,
        anyOuterPort: outer === undefined,
      } as const
      found.set(`${protocol} ${host} ${portText}`, { listener, address })
    }
    return found
  }
}

type MappingArguments = Parameters<AddressManager['addPublicAddressMapping']>

const argumentsOf = ({ innerHost, innerPort, externalIp, outerPort, protocol }: OuterAddress): MappingArguments => [
  innerHost,
  innerPort,
  externalIp,
  outerPort,
  protocol,
]

function outerAddressOf([innerHost, innerPort, externalIp, outerPort, protocol]: MappingArguments): OuterAddress {
  return { innerHost, innerPort, externalIp, outerPort: outerPort ?? innerPort, protocol: protocol ?? 'tcp' }
}
