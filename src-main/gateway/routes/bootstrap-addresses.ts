import type { IncomingHttpHeaders } from 'node:http'
import { dialableMultiaddr } from '../../p2p/bootstrap/index.js'
import { hostOf, relayOf, type Scope, scopeOf } from '../../p2p/index.js'
import type { HostName } from '../listener/host-name.js'

/** From nearest to farthest: an address is of use to callers at most as far away as itself. */
const RANK: Record<Scope, number> = { loopback: 0, private: 1, public: 2 }

/**
 * Those of this node's addresses that work for a caller at `callerIps`, the farthest of which counts: loopback ones only
 * for this machine, private ones only for private callers; of an unknown caller nothing but public ones. Other machines
 * get circuits over a relay only where there is nothing direct for them. What cannot be dialled as it stands, such as a
 * circuit without the relay's address, is left out.
 */
export function bootstrapAddresses(multiaddrs: readonly string[], callerIps: readonly string[]): string[] {
  const caller = farthest(callerIps)
  const usable = multiaddrs.filter(
    (multiaddr) => RANK[scopeOf(hostOf(multiaddr))] >= RANK[caller] && dialableMultiaddr(multiaddr) !== undefined,
  )
  const direct = usable.filter((multiaddr) => relayOf(multiaddr) === undefined)
  return direct.length > 0 && caller !== 'loopback' ? direct : usable
}

function farthest(ips: readonly string[]): Scope {
  return ips.map(scopeOf).sort((a, b) => RANK[b] - RANK[a])[0] ?? 'public'
}

/**
 * Where a request at the local listener may come from: the connected address, and those a reverse proxy names. Headers
 * can be invented, so only the farthest may count: it takes away and gives nothing. What is no IP address, such as
 * everything in `Forwarded`, stands for far away, and so does a Host that only a reverse proxy or a stranger would send.
 */
export function callerAddresses(remoteAddress: string, headers: IncomingHttpHeaders, hostName: HostName): string[] {
  const named = ['x-forwarded-for', 'x-real-ip', 'forwarded'].flatMap((name) => headers[name] ?? [])
  const proxied = hostName === 'foreign' || (hostName === 'listed' && scopeOf(remoteAddress) === 'loopback')
  return [
    ...(proxied ? [FAR_AWAY] : [remoteAddress]),
    ...named.flatMap((list) => list.split(',').map((entry) => entry.trim())),
  ]
}

/** No IP address. */
const FAR_AWAY = 'far-away'
