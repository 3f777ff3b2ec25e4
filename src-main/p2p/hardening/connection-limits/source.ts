import { hostOf, ipv6Network, relayOf, scopeOf } from '../../dial/ip-scope.js'

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
