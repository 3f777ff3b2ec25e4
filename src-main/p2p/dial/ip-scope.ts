import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/** How far an address reaches: this machine, a local network, or everywhere. A host name counts as public. */
export type Scope = 'loopback' | 'private' | 'public'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4')
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

/** The reach of an IP address or host name. */
export function scopeOf(host: string): Scope {
  const ip = host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host
  const family = isIP(ip)
  if (family === 0) return 'public'
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  if (LOOPBACK.check(ip, kind)) return 'loopback'
  return PRIVATE.check(ip, kind) ? 'private' : 'public'
}

/** `/ip4/…`, `/ip6/…` or a name at the start of a multiaddr; the zone of a link-local one is left out. */
export function hostOf(multiaddr: string): string {
  const [, first, second = '', , fourth = ''] = multiaddr.split('/')
  return first === 'ip6zone' ? fourth : second
}

/** The relay in `…/p2p/<relay>/p2p-circuit…`; undefined for an address that leads to its peer directly. */
export function relayOf(multiaddr: string): string | undefined {
  return /\/p2p\/([^/]+)\/p2p-circuit(\/|$)/.exec(multiaddr)?.[1]
}

/** The /64 an IPv6 address is in, which is what one customer gets: its first four groups, without leading zeros. */
export function ipv6Network(ip: string): string {
  const [head = '', tail] = ip.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from(
    { length: tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length) },
    () => '0',
  )
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')
}

/**
 * What counts as one source of connections: an IPv4 address, a public IPv6 /64 (what one customer gets; addresses in it
 * cost nothing), or the relay it comes through.
 */
export function sourceOf(multiaddr: string): string {
  const relay = relayOf(multiaddr)
  return relay === undefined ? sourceOfHost(hostOf(multiaddr)) : `relay ${relay}`
}

/** The same of an IP address. */
export function sourceOfHost(host: string): string {
  const ip = host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host
  // A whole local network shares one fe80::/64, or the /64 of its fc00::/7.
  return ip.includes(':') && scopeOf(ip) === 'public' ? ipv6Network(ip) : ip
}

/**
 * Addresses that are likely to be one party's, or that it gets for little: an IPv4 /24, an IPv6 /48, or the relay that a
 * peer comes through. On this machine each address is a group of its own.
 */
export function addressGroup(multiaddr: string): string {
  const relay = relayOf(multiaddr)
  if (relay !== undefined) return `relay ${relay}`
  const host = hostOf(multiaddr).replace(/^::ffff:/, '')
  if (scopeOf(host) === 'loopback') return host
  if (isIPv4(host)) return `${host.slice(0, host.lastIndexOf('.'))}.0/24`
  return isIPv6(host) ? `${ipv6Network(host).split(':').slice(0, 3).join(':')}::/48` : host
}
