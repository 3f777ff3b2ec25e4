import { uPnPNAT, type UPnPNAT, type UPnPNATComponents } from '@libp2p/upnp-nat'
import type { Log } from '../../logging/index.js'
import { scopeOf } from '../ip-scope.js'

/** A router that answered, and what came of asking it. */
export interface GatewayFacts {
  family: 'IPv4' | 'IPv6'
  host: string
  /** As the router tells it; undefined until it did. */
  externalIp: string | undefined
  /** `tcp 43905 → 43905`. */
  mappings: string[]
  /** Why it is of no use, in words for a person. */
  problem: string | undefined
}

/** What UPnP came to. */
export interface PortMappingFacts {
  state: 'off' | 'searching' | 'none' | 'found'
  gateways: GatewayFacts[]
}

export const NO_PORT_MAPPING: PortMappingFacts = { state: 'off', gateways: [] }

type Client = UPnPNAT['portMappingClient']
type Gateway = Awaited<ReturnType<Client['getGateway']>>

const MAX_GATEWAYS = 8
const SEARCH_EVERY_MS = 10 * 60_000
const CHECK_EVERY_MS = 5 * 60_000

/**
 * UPnP, watched: the library tells no one what its routers answered. A router is asked to map this node's ports; the
 * addresses that come of it are announced once a peer has dialled one of them (`own-addresses.ts`).
 */
export function portMapping(needs: { log: Log; onFacts: (facts: PortMappingFacts) => void }) {
  const { log } = needs
  return (components: UPnPNATComponents): UPnPNAT => {
    const facts: PortMappingFacts = { state: 'searching', gateways: [] }
    needs.onFacts(facts)
    const service = uPnPNAT({
      initialGatewaySearchInterval: SEARCH_EVERY_MS,
      gatewaySearchInterval: SEARCH_EVERY_MS,
      initialGatewaySearchTimeout: 10_000,
      initialGatewaySearchMessageInterval: 2_000,
      externalAddressCheckInterval: CHECK_EVERY_MS,
      portMappingDescription: 'ocf',
    })(components)
    const client = service.portMappingClient
    const find = client.findGateways.bind(client)
    client.findGateways = async function* (options) {
      for await (const gateway of find(options)) {
        facts.state = 'found'
        yield facts.gateways.length < MAX_GATEWAYS ? watched(gateway, facts, log) : gateway
      }
      if (facts.gateways.length === 0) facts.state = 'none'
    }
    return service
  }
}

/** The gateway, with what it answers written down. A problem is logged when it is new. */
function watched(gateway: Gateway, facts: PortMappingFacts, log: Log): Gateway {
  const { host, family } = gateway
  const entry: GatewayFacts = { family, host, externalIp: undefined, mappings: [], problem: undefined }
  facts.gateways.push(entry)
  const fail = (problem: string): void => {
    if (entry.problem !== problem) log.warn('the router cannot open a port for this node', { router: host, problem })
    entry.problem = problem
  }
  const externalIp = gateway.externalIp.bind(gateway)
  const map = gateway.map.bind(gateway)
  gateway.externalIp = async (options) => {
    try {
      const ip = await externalIp(options)
      entry.externalIp = ip
      const problem = externalAddressProblem(ip)
      if (problem === undefined) entry.problem = undefined
      else fail(problem)
      return ip
    } catch (error) {
      fail('it does not tell its external address')
      throw error
    }
  }
  gateway.map = async (port, internalHost, options) => {
    try {
      const mapping = await map(port, internalHost, options)
      const line = `${mapping.protocol.toLowerCase()} ${mapping.externalPort} → ${mapping.internalPort}`
      if (!entry.mappings.includes(line) && entry.mappings.length < 16) {
        entry.mappings.push(line)
        log.info('the router opened a port', { router: host, mapping: line })
      }
      return mapping
    } catch (error) {
      fail(`it refuses to open port ${port}`)
      throw error
    }
  }
  return gateway
}

/** What is wrong with an external address a router tells; undefined when it may be true. */
export function externalAddressProblem(ip: string): string | undefined {
  if (!/^[\d.]+$|:/.test(ip)) return `its external address "${ip.slice(0, 60)}" is none`
  if (scopeOf(ip) === 'public') return undefined
  return `its external address ${ip} is private: there is another router in front of it`
}
