import type { AutoNATComponents } from '@libp2p/autonat'
import type { Log } from '../../../logging/index.js'
import { externalAddressProblem } from './external-address.js'
import { GatewayFault, type GatewayProblem } from './gateway-fault.js'
import type { GatewaySighting } from './gateway-search.js'
import { describeGateway, type Gateway, type OpenPort } from './gateway.js'
import type { GatewayFacts } from './port-mapping.js'

/** A port this node listens on, and the outer one it would like. */
export interface Listener {
  protocol: 'tcp' | 'udp'
  host: string
  port: number
  outerPort: number
  anyOuterPort: boolean
}

/** One router with what it opened for this node. None of its methods throws. */
export interface MappedGateway {
  /** This machine's address in the router's network. */
  readonly localAddress: string
  /** It did not yet say what it can do, for want of an answer in time. */
  readonly isMute: boolean
  /** It is being asked. */
  readonly isBusy: boolean
  facts(): GatewayFacts
  /** Looks at where it describes itself, unless that is known or `maxLocations` were looked at, and serves. */
  meet(sighting: GatewaySighting, maxLocations: number, signal: AbortSignal): Promise<void> | undefined
  /** Checks its external address, opens what is missing, renews what is old, closes what nothing listens on. */
  serve(signal: AbortSignal): Promise<void>
  /** Closes all it opened. */
  close(signal: AbortSignal): Promise<void>
}

interface Opened {
  port: OpenPort
  /** Where it leads here from, as libp2p was told; undefined where the router's address is of no use. */
  externalIp: string | undefined
  renewAtMs: number
}

const MAX_PORTS = 16
const MAX_TOLD_PROBLEMS = 16

/** The router of that sighting. Each of its problems is logged once. */
export function createMappedGateway(
  needs: {
    log: Log
    addressManager: AutoNATComponents['addressManager']
    /** What this node listens on now. */
    listeners: () => readonly Listener[]
    onOpened: () => void
  },
  { host, localAddress }: GatewaySighting,
  times: { answerMs: number; renewMs: number },
): MappedGateway {
  const { log, addressManager } = needs
  const locations = new Set<string>()
  const opened = new Map<string, Opened>()
  const told = new Set<string>()
  let gateway: Gateway | undefined
  let serving: Promise<void> | undefined
  let isDue = false
  let externalIp: string | undefined
  let problem: GatewayProblem | undefined

  function fail(found: GatewayProblem, level: 'warn' | 'info' = 'warn'): void {
    problem = found
    if (told.has(found.text) || told.size >= MAX_TOLD_PROBLEMS) return
    told.add(found.text)
    log[level]('the router cannot open a port for this node', { router: host, problem: found.text })
  }

  /** What a router does wrong becomes its problem; only the end of this node is passed on. */
  async function attempt(act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof GatewayFault) fail(error.problem)
      else log.error('asking the router failed', { router: host, error })
    }
  }

  async function lookAt(location: URL, signal: AbortSignal): Promise<void> {
    await attempt(async () => {
      const described = await describeGateway(location, { signal, answerMs: times.answerMs })
      gateway ??= described
    }, signal)
    if (gateway !== undefined) await serve(signal)
  }

  /** One at a time; what comes up meanwhile is looked at after it. */
  async function serve(signal: AbortSignal): Promise<void> {
    isDue = true
    serving ??= serveWhileDue(signal).finally(() => (serving = undefined))
    await serving
  }

  async function serveWhileDue(signal: AbortSignal): Promise<void> {
    while (isDue && !signal.aborted) {
      isDue = false
      await attempt(async () => serveOnce(signal), signal)
    }
  }

  async function serveOnce(signal: AbortSignal): Promise<void> {
    if (gateway === undefined) return
    const here = needs
      .listeners()
      .filter((listener) => listener.host === localAddress)
      .slice(0, MAX_PORTS)
    const address = await gateway.externalAddress(signal)
    externalIp = address.slice(0, 60)
    const wrong = externalAddressProblem(address)
    await closeUnused(here, signal)
    if (wrong?.kind === 'bad-address') {
      for (const entry of opened.values()) lead(entry, undefined)
      fail(wrong)
      return
    }
    // Behind a second router a port is opened all the same: the outer one may forward everything to this one.
    const usable = wrong === undefined ? address : undefined
    let isNew = false
    let refusal: GatewayProblem | undefined
    try {
      for (const listener of here) {
        const entry = opened.get(keyOf(listener))
        if (entry !== undefined && entry.externalIp !== usable) isNew = lead(entry, usable) || isNew
        if (entry !== undefined && Date.now() < entry.renewAtMs) continue
        try {
          isNew = (await open(gateway, listener, usable, signal)) || isNew
        } catch (error) {
          if (!(error instanceof GatewayFault) || error.problem.kind !== 'refused') throw error
          const { protocol, outerPort } = listener
          refusal ??= { kind: 'refused', text: `it refuses to open ${protocol} port ${outerPort} (${error.message})` }
        }
      }
    } finally {
      if (isNew) needs.onOpened()
    }
    if (wrong !== undefined) fail(wrong)
    // Where other ports will not do, there is most likely a rule made by hand.
    else if (refusal !== undefined) fail(refusal, here.every(({ anyOuterPort }) => anyOuterPort) ? 'warn' : 'info')
    else problem = undefined
  }

  /** Resolves to whether the port leads here from somewhere it did not before. */
  async function open(
    router: Gateway,
    listener: Listener,
    usableIp: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const key = keyOf(listener)
    const before = opened.get(key)
    const { protocol, host: innerHost, port: innerPort, anyOuterPort } = listener
    const outerPort = before?.port.outerPort ?? listener.outerPort
    const wish = { protocol, innerHost, innerPort, outerPort, anyOuterPort }
    // Noted beforehand: a node that stops meanwhile closes what the router may just have opened.
    const entry: Opened = before ?? { port: { ...wish, leaseSeconds: 0 }, externalIp: undefined, renewAtMs: 0 }
    opened.set(key, entry)
    let port: OpenPort
    try {
      port = await router.open(wish, signal)
    } catch (error) {
      if (error instanceof GatewayFault && error.problem.kind === 'refused') forget(key, entry)
      throw error
    }
    const isOther = entry.port.outerPort !== port.outerPort
    if (isOther) lead(entry, undefined)
    entry.port = port
    entry.renewAtMs = Date.now() + times.renewMs
    if (before === undefined || isOther)
      log.info('the router opened a port', { router: host, mapping: lineOf(port), leaseSeconds: port.leaseSeconds })
    return lead(entry, usableIp) || before === undefined
  }

  /** Tells libp2p where a port leads here from; true where that is news. */
  function lead(entry: Opened, ip: string | undefined): boolean {
    const { innerHost, innerPort, outerPort, protocol } = entry.port
    if (entry.externalIp === ip) return false
    if (entry.externalIp !== undefined)
      addressManager.removePublicAddressMapping(innerHost, innerPort, entry.externalIp, outerPort, protocol)
    if (ip !== undefined) addressManager.addPublicAddressMapping(innerHost, innerPort, ip, outerPort, protocol)
    entry.externalIp = ip
    return ip !== undefined
  }

  function forget(key: string, entry: Opened): void {
    lead(entry, undefined)
    opened.delete(key)
  }

  async function closeUnused(here: readonly Listener[], signal: AbortSignal): Promise<void> {
    const wanted = new Set(here.map(keyOf))
    const unused = [...opened].filter(([key]) => !wanted.has(key))
    await Promise.all(unused.map(async ([key, entry]) => closePort(key, entry, signal)))
  }

  async function closePort(key: string, entry: Opened, signal: AbortSignal): Promise<void> {
    forget(key, entry)
    try {
      await gateway?.close(entry.port, signal)
    } catch (error) {
      log.debug('a port of the router stays open until its lease ends', {
        router: host,
        mapping: lineOf(entry.port),
        error,
      })
    }
  }

  return {
    localAddress,
    get isBusy() {
      return serving !== undefined || locations.size > 0
    },
    get isMute() {
      return gateway === undefined && problem?.kind === 'no-answer'
    },
    facts: () => ({
      host,
      externalIp,
      mappings: [...opened.values()].flatMap(({ port, renewAtMs }) => (renewAtMs === 0 ? [] : [lineOf(port)])),
      problem,
    }),
    meet(sighting, maxLocations, signal) {
      if (gateway !== undefined) return undefined
      if ('problem' in sighting.found) {
        fail(sighting.found.problem)
        return undefined
      }
      const { location } = sighting.found
      // What did not work in the last search may work in this one: only how many are tried at once is bounded.
      if (locations.has(location.href) || locations.size >= maxLocations) return undefined
      locations.add(location.href)
      return lookAt(location, signal).finally(() => locations.delete(location.href))
    },
    serve,
    async close(signal) {
      await serving
      await Promise.all([...opened].map(async ([key, entry]) => closePort(key, entry, signal)))
    },
  }
}

const keyOf = ({ protocol, host, port }: Listener): string => `${protocol} ${host} ${port}`

const lineOf = ({ protocol, outerPort, innerPort }: OpenPort): string => `${protocol} ${outerPort} → ${innerPort}`
