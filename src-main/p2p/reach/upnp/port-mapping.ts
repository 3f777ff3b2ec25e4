import type { AutoNATComponents } from '@libp2p/autonat'
import type { Startable } from '@libp2p/interface'
import type { Log } from '../../../logging/index.js'
import { relayOf } from '../../dial/ip-scope.js'
import type { GatewayProblem } from './gateway-fault.js'
import { lanInterfaces, searchGateways, type GatewaySearchOptions, type GatewaySighting } from './gateway-search.js'
import { createMappedGateway, type Listener, type MappedGateway } from './mapped-gateway.js'
import { rest } from './rest.js'

/** A router that answered, and what came of asking it. */
export interface GatewayFacts {
  host: string
  /** As the router tells it; undefined until it did. */
  externalIp: string | undefined
  /** `tcp 43905 → 43905`, the outer port first. */
  mappings: string[]
  /** Why it is of no use, or of less. */
  problem: GatewayProblem | undefined
}

/** What UPnP came to. `unneeded`: this node listens at no address of a local network. */
export interface PortMappingFacts {
  state: 'off' | 'unneeded' | 'searching' | 'none' | 'found'
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
export interface PortMappingOptions {
  /**
   * Given where the user told the address of this node: a rule made by hand may have the ports already. Then no other
   * outer ports are asked for, and where a port was told with the address only that one is.
   */
  publicAddress?: { port: number | undefined } | undefined
  times?: Partial<PortMappingTimes>
  search?: Pick<GatewaySearchOptions, 'interfaces' | 'target' | 'pauseMs'>
}

/** In milliseconds. */
export interface PortMappingTimes {
  /** Between two looks at a router's external address. */
  checkMs: number
  /** The first pause after a router that did not answer in time; each further one is twice as long, up to `checkMs`. */
  retryMs: number
  /** Between two searches for routers. */
  searchMs: number
  /** After this an open port is asked for again: leases last an hour, and a router that starts anew forgets all. */
  renewMs: number
  /** How long a router may take to answer. */
  answerMs: number
  /** What closing the ports may take when the node stops. */
  closeMs: number
}

const TIMES: PortMappingTimes = {
  checkMs: 2 * 60_000,
  retryMs: 15_000,
  searchMs: 10 * 60_000,
  renewMs: 10 * 60_000,
  answerMs: 4_000,
  closeMs: 1_500,
}
const MAX_GATEWAYS = 8
/** Routers answer within a second or not at all, and then take some to open ports. */
const SETTLING_MS = { searching: 2_000, asking: 10_000 }
/** A router may describe itself in several places, one for each generation of UPnP. */
const MAX_LOCATIONS_PER_GATEWAY = 4

type Components = Pick<AutoNATComponents, 'addressManager' | 'events'>

/**
 * UPnP by a client of our own (docs/decisions/0015): a router is found by multicast and asked to open the ports this
 * node listens on. What comes of it is announced once a peer has dialled it (`own-addresses.ts`), so a router that lies
 * costs nothing.
 */
export function portMapping(
  needs: { log: Log },
  options: PortMappingOptions = {},
): (components: Components) => PortMapping {
  const { log } = needs
  const times = { ...TIMES, ...options.times }
  return ({ addressManager, events }) => {
    const gateways = new Map<string, MappedGateway>()
    const openedListeners = new Set<() => void>()
    let state: PortMappingFacts['state'] = 'searching'
    let nextSearchMs = 0
    let startedMs = 0
    let isFirstRound = true
    /** Rounds in a row in which a router did not answer in time. */
    let silentRounds = 0
    let saidNone = false
    let stopped = new AbortController()
    let wake = new AbortController()
    /** The ports that routers were asked about last. */
    let asked = ''
    let running: Promise<void> = Promise.resolve()

    const localAddresses = (): string[] => (options.search?.interfaces ?? lanInterfaces()).map(({ address }) => address)
    const onOpened = (): void => openedListeners.forEach((listener) => listener())

    async function run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        wake = new AbortController()
        await round(signal)
        isFirstRound = false
        await rest(pauseMs(), AbortSignal.any([signal, wake.signal]))
      }
    }

    /** A router that has just started, or has much to do, is asked again soon. */
    function pauseMs(): number {
      if (!isAnyMute()) silentRounds = 0
      else silentRounds += 1
      return silentRounds === 0 ? times.checkMs : Math.min(times.checkMs, times.retryMs * 2 ** (silentRounds - 1))
    }

    const isAnyMute = (): boolean =>
      [...gateways.values()].some((gateway) => gateway.facts().problem?.kind === 'no-answer')

    async function round(signal: AbortSignal): Promise<void> {
      await forgetLeftNetworks()
      asked = listenersKey()
      if (asked === '') {
        state = 'unneeded'
        return
      }
      if (state === 'unneeded') state = 'searching'
      const isDue = Date.now() >= nextSearchMs || [...gateways.values()].some((gateway) => gateway.isMute)
      await Promise.all([serveAll(signal), ...(isDue ? [search(signal)] : [])])
    }

    async function serveAll(signal: AbortSignal): Promise<void> {
      await Promise.all([...gateways.values()].map(async (gateway) => gateway.serve(signal)))
    }

    /** Transports start to listen one after the other. */
    function onListening(): void {
      const key = listenersKey()
      if (key === asked || stopped.signal.aborted) return
      asked = key
      if (state === 'unneeded') wake.abort()
      else void serveAll(stopped.signal)
    }

    const listenersKey = (): string =>
      wantedListeners()
        .map(({ protocol, host, port }) => `${protocol} ${host} ${port}`)
        .join()

    async function search(signal: AbortSignal): Promise<void> {
      nextSearchMs = Date.now() + times.searchMs
      const started = new Set<Promise<void>>()
      const onSighting = (sighting: GatewaySighting): void => {
        const meeting = meet(sighting, signal)
        if (meeting !== undefined) started.add(meeting)
      }
      await searchGateways({ log, onSighting }, { ...options.search, signal })
      await Promise.all(started)
      if (signal.aborted || gateways.size > 0) return
      state = 'none'
      if (!saidNone) log.info('no router answered that opens ports (UPnP)')
      saidNone = true
    }

    /** A router in a place not looked at before; undefined where there is nothing new to learn. */
    function meet(sighting: GatewaySighting, signal: AbortSignal): Promise<void> | undefined {
      const known = gateways.get(sighting.host)
      if (known === undefined && gateways.size >= MAX_GATEWAYS) return undefined
      const gateway =
        known ?? createMappedGateway({ log, addressManager, listeners: wantedListeners, onOpened }, sighting, times)
      gateways.set(sighting.host, gateway)
      state = 'found'
      return gateway.meet(sighting, MAX_LOCATIONS_PER_GATEWAY, signal)
    }

    /** A laptop is carried from one network to another; what the old router opened is of no use any more. */
    async function forgetLeftNetworks(): Promise<void> {
      const here = localAddresses()
      for (const [host, gateway] of gateways) {
        if (here.includes(gateway.localAddress)) continue
        gateways.delete(host)
        await gateway.close(AbortSignal.timeout(times.closeMs))
        nextSearchMs = 0
      }
      if (gateways.size === 0 && state === 'found') state = 'searching'
    }

    /** Ports this node listens on in local networks, IPv4: routers open IPv6 by other means, if at all. */
    function wantedListeners(): Listener[] {
      const here = localAddresses()
      const outer = options.publicAddress
      const found = new Map<string, Listener>()
      for (const { multiaddr, type } of addressManager.getAddressesWithMetadata()) {
        const text = multiaddr.toString()
        const [, , host = '', protocol, portText = '', ...rest] = text.split('/')
        if (type !== 'transport' || relayOf(text) !== undefined || !here.includes(host)) continue
        if (protocol !== 'tcp' && protocol !== 'udp') continue
        // Only plain TCP is announced of a public address that was given with its port.
        if (outer?.port !== undefined && (protocol !== 'tcp' || rest[0] === 'ws')) continue
        const port = Number(portText)
        found.set(`${protocol} ${host} ${portText}`, {
          protocol,
          host,
          port,
          outerPort: outer?.port ?? port,
          anyOuterPort: outer === undefined,
        })
      }
      return [...found.values()]
    }

    return {
      facts: () => ({ state, gateways: [...gateways.values()].map((gateway) => gateway.facts()) }),
      isSettling() {
        const sinceMs = Date.now() - startedMs
        if (!isFirstRound || sinceMs > SETTLING_MS.asking) return false
        if (gateways.size === 0) return sinceMs < SETTLING_MS.searching
        return [...gateways.values()].some((gateway) => gateway.isBusy)
      },
      onOpened(listener) {
        openedListeners.add(listener)
        return () => openedListeners.delete(listener)
      },
      start: () => undefined,
      afterStart() {
        stopped = new AbortController()
        startedMs = Date.now()
        events.addEventListener('transport:listening', onListening)
        running = run(stopped.signal).catch((error: unknown) => log.error('port mapping ended', { error }))
      },
      async stop() {
        events.removeEventListener('transport:listening', onListening)
        stopped.abort()
        await running
        const signal = AbortSignal.timeout(times.closeMs)
        await Promise.all([...gateways.values()].map(async (gateway) => gateway.close(signal)))
        gateways.clear()
      },
    }
  }
}
