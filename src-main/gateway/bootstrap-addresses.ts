import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

const PRIVATE = new BlockList()
PRIVATE.addSubnet('10.0.0.0', 8, 'ipv4')
PRIVATE.addSubnet('172.16.0.0', 12, 'ipv4')
PRIVATE.addSubnet('192.168.0.0', 16, 'ipv4')
PRIVATE.addSubnet('169.254.0.0', 16, 'ipv4')
PRIVATE.addSubnet('100.64.0.0', 10, 'ipv4')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

/** From nearest to farthest: an address is of use to callers at most as far away as itself. */
type Scope = 'loopback' | 'private' | 'public'

const RANK: Record<Scope, number> = { loopback: 0, private: 1, public: 2 }

function scopeOf(address: string): Scope {
  const ip = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  const family = isIP(ip)
  if (family === 0) return 'public'
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  if (LOOPBACK.check(ip, kind)) return 'loopback'
  return PRIVATE.check(ip, kind) ? 'private' : 'public'
}

/** `/ip4/…`, `/ip6/…` or a name at the start of a multiaddr. */
const hostOf = (multiaddr: string): string => multiaddr.split('/')[2] ?? ''

/**
 * Those of this node's addresses that work for a caller at `callerIp`: loopback ones only for this machine, private
 * ones only for private callers; of an unknown caller nothing but public ones.
 */
export function bootstrapAddresses(multiaddrs: readonly string[], callerIp: string | undefined): string[] {
  const caller = callerIp === undefined ? 'public' : scopeOf(callerIp)
  return multiaddrs.filter((multiaddr) => RANK[scopeOf(hostOf(multiaddr))] >= RANK[caller])
}
