import { BlockList, isIP } from 'node:net'
import { relayOf, scopeOf } from './ip-scope.js'

// Whom a node dials because a stranger said so: see docs/decisions/0025-whom-we-dial.md.

/** An address of a peer, or of the relay in front of it, as far as dialling it goes. */
export interface DialAddress {
  /** The address without peer ids: the same text whoever is said to be there. */
  key: string
  /** IP address or host name. */
  host: string
  isName: boolean
  port: number
  transport: 'tcp' | 'ws' | 'quic'
  /** Who is said to be there: the relay, where the address leads over one. Undefined while nobody is named. */
  peerId: string | undefined
}

/** What a node knows about an address that decides whether it is dialled. */
export interface DialPolicyFacts {
  /** True for what a person named: a bootstrap source, or a node of this machine that runs as the same user. */
  isNamed(key: string): boolean
  /** True while a connection to that peer is open: a circuit over it takes no dial. */
  isConnected(peerId: string): boolean
  /** True where that peer has been connected to, or from, at this host. */
  wasMetAt(peerId: string, host: string): boolean
  /** True where that peer has been connected over loopback. */
  wasMetOnLoopback(peerId: string): boolean
  /** True while every direct connection so far was one over loopback. */
  isLoopbackNetwork(): boolean
  /** True for an address in a network of one of this machine's interfaces, or in one where a peer has been met. */
  isInOwnNetwork(host: string): boolean
}

const HOSTS = '(ip4|ip6|dns|dns4|dns6)/([^/]+)'
/** No path, TLS name, zone or socket file: such a part lets a stranger choose what is said, and to which program. */
const PLAIN = new RegExp(`^(/${HOSTS}/(?:tcp/(\\d+)(/ws)?|udp/(\\d+)/quic-v1))(?:/p2p/([^/]+))?$`)
const CIRCUIT = /^(.*?)\/p2p\/([^/]+)\/p2p-circuit(?:\/|$)/
const MAX_PORT = 65_535
/** Ports below are those of system services; a node behind a port that every firewall lets out has one of the two. */
const FIRST_FREE_PORT = 1024
const WEB_PORTS: readonly number[] = [80, 443]

/** Addresses that are no machine's: `0.0.0.0` is this one to Linux, and tunnels hide an IPv4 address in an IPv6 one. */
const NOWHERE = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['192.0.0.0', 24],
  ['224.0.0.0', 3],
] as const) {
  NOWHERE.addSubnet(net, bits, 'ipv4')
}
for (const [net, bits] of [
  ['::', 128],
  ['ff00::', 8],
  ['64:ff9b::', 32],
  ['2002::', 16],
  ['2001::', 32],
] as const) {
  NOWHERE.addSubnet(net, bits, 'ipv6')
}

/** Of one site, or of a benchmark, besides what {@link scopeOf} calls private. */
const OF_ONE_SITE = new BlockList()
OF_ONE_SITE.addSubnet('198.18.0.0', 15, 'ipv4')
OF_ONE_SITE.addSubnet('fec0::', 10, 'ipv6')

/** Reads an address of a plain form: host, port, TCP, WebSocket or QUIC; undefined for all others. */
export function readDialAddress(address: string): DialAddress | undefined {
  const circuit = CIRCUIT.exec(address)
  const match = PLAIN.exec(circuit === null ? address : `${circuit[1] ?? ''}/p2p/${circuit[2] ?? ''}`)
  if (match === null) return undefined
  const [, key = '', family = '', host = '', tcp, ws, udp, peerId] = match
  const port = Number(tcp ?? udp)
  if (port < 1 || port > MAX_PORT) return undefined
  const isName = family.startsWith('dns')
  if (!isName && (isIP(host) === 0 || host.includes('%'))) return undefined
  return { key, host, isName, port, transport: udp !== undefined ? 'quic' : ws === undefined ? 'tcp' : 'ws', peerId }
}

/** The address that `isNamed` is asked for: without the peer id at its end, or from its relay on. */
export function dialKey(address: string): string {
  return (CIRCUIT.exec(address)?.[1] ?? address).replace(/\/p2p\/[^/]+$/, '')
}

/**
 * Why an address is not dialled; undefined where it may be. Of a name only what can be told without a look-up: what it
 * stands for is to be asked as an address of its own.
 */
export function whyNotDial(address: string, facts: DialPolicyFacts): string | undefined {
  const key = dialKey(address)
  const relay = relayOf(address)
  // A relay that is named by its id alone is dialled at an address of its own, which is asked about then.
  if (relay !== undefined && (key === '' || facts.isConnected(relay))) return undefined
  if (facts.isNamed(key)) return undefined
  const found = readDialAddress(address)
  if (found === undefined) return 'it is no plain TCP, WebSocket or QUIC address'
  const { host, port, peerId, isName } = found
  if (isName) return whyNotPort(port, 'public')
  if (isWithin(NOWHERE, host) || isMapped(host)) return 'it is no address of a machine'
  const scope = isWithin(OF_ONE_SITE, host) ? 'private' : scopeOf(host)
  const reason = whyNotPort(port, scope)
  if (peerId !== undefined && facts.wasMetAt(peerId, host)) return reason
  switch (scope) {
    case 'public':
      return reason
    case 'private':
      return facts.isInOwnNetwork(host) ? reason : 'it is in a private network that this machine is no part of'
    case 'loopback': {
      const isHere = facts.isLoopbackNetwork() || (peerId !== undefined && facts.wasMetOnLoopback(peerId))
      return isHere ? reason : 'it is an address of this machine, and the peer has not been met on it'
    }
  }
}

/** An IPv4 address in IPv6 letters, of which there are several spellings. Nobody needs one to say where they are. */
function isMapped(ip: string): boolean {
  return isIP(ip) === 6 && new URL(`http://[${ip}]/`).hostname.startsWith('[::ffff:')
}

function whyNotPort(port: number, scope: ReturnType<typeof scopeOf>): string | undefined {
  if (port >= FIRST_FREE_PORT || (scope === 'public' && WEB_PORTS.includes(port))) return undefined
  return `port ${port} is one of system services`
}

/** Bits of the network around a private address: what one site usually has. Overlay networks are spread over all of theirs. */
const SITE_BITS = [
  { range: ['10.0.0.0', 8, 'ipv4'], bits: 16 },
  { range: ['172.16.0.0', 12, 'ipv4'], bits: 16 },
  { range: ['192.168.0.0', 16, 'ipv4'], bits: 24 },
  { range: ['100.64.0.0', 10, 'ipv4'], bits: 10 },
  { range: ['fc00::', 7, 'ipv6'], bits: 48 },
] as const
const SITES = SITE_BITS.map(({ range: [net, prefix, family], bits }) => {
  const range = new BlockList()
  range.addSubnet(net, prefix, family)
  return { range, bits, family }
})

/** How many bits of a private address name the network of its site; undefined for all other addresses. */
export const siteBits = (ip: string): number | undefined => siteOf(ip)?.bits

/** The network around a private address, as a list that addresses can be checked with; undefined for all other addresses. */
export function siteAround(ip: string): BlockList | undefined {
  const site = siteOf(ip)
  if (site === undefined) return undefined
  const list = new BlockList()
  list.addSubnet(ip, site.bits, site.family)
  return list
}

const siteOf = (ip: string): (typeof SITES)[number] | undefined => SITES.find(({ range }) => isWithin(range, ip))

const LINK_LOCAL = new BlockList()
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4')
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6')

/** True for a host that is another one on each machine, or none: loopback, a link's own, and names of the machine itself. */
export function isOfOneMachine(host: string): boolean {
  if (isIP(host) === 0) return host === 'localhost' || host.endsWith('.localhost')
  return scopeOf(host) === 'loopback' || isWithin(LINK_LOCAL, host) || isWithin(NOWHERE, host)
}

/** True for an IP address in that list; false for a name. */
export function isWithin(list: BlockList, host: string): boolean {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
