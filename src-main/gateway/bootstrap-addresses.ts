import { hostOf, relayOf, scopeOf, type Scope } from '../p2p/ip-scope.js'

/** From nearest to farthest: an address is of use to callers at most as far away as itself. */
const RANK: Record<Scope, number> = { loopback: 0, private: 1, public: 2 }

/**
 * Those of this node's addresses that work for a caller at `callerIp`: loopback ones only for this machine, private
 * ones only for private callers; of an unknown caller nothing but public ones. Other machines are told of circuits over
 * a relay only where there is nothing direct for them.
 */
export function bootstrapAddresses(multiaddrs: readonly string[], callerIp: string | undefined): string[] {
  const caller = callerIp === undefined ? 'public' : scopeOf(callerIp)
  const usable = multiaddrs.filter((multiaddr) => RANK[scopeOf(hostOf(multiaddr))] >= RANK[caller])
  const direct = usable.filter((multiaddr) => relayOf(multiaddr) === undefined)
  return direct.length > 0 && caller !== 'loopback' ? direct : usable
}
