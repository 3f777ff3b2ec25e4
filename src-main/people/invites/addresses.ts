import { isIP } from 'node:net'
import { hostOf, relayOf, scopeOf } from '../../p2p/index.js'
import { MAX_INVITE_ADDRESSES } from './text.js'

/** From where the addresses of an invite can be reached. */
export type InviteReach = 'anywhere' | 'lan' | 'machine' | 'nowhere'

/**
 * The addresses for an invite out of all this node announces: such that a guest from anywhere finds one that works, and
 * one in the same home another. Of this machine alone only where the node listens on nothing else.
 */
export function inviteAddresses(
  announced: readonly string[],
  self: string,
): { addresses: string[]; reach: InviteReach } {
  const all = [...new Set(announced.map((address) => address.replace(`/p2p/${self}`, '')))].filter(isPlain)
  const relayed = all.filter((address) => relayOf(address) !== undefined)
  const direct = all.filter((address) => relayOf(address) === undefined)
  const of = (scope: ReturnType<typeof scopeOf>): string[] =>
    direct.filter((address) => scopeOf(hostOf(address)) === scope && !isLinkLocal(hostOf(address))).sort(byWorth)
  const [open, lan, loopback] = [of('public'), of('private'), of('loopback')]
  const wide = [...open, ...relayed, ...lan]
  if (wide.length === 0) {
    return { addresses: loopback.slice(0, MAX_INVITE_ADDRESSES), reach: loopback.length === 0 ? 'nowhere' : 'machine' }
  }
  // One of each kind first, then second ones in the same order.
  const kinds = [open, relayed, lan]
  const rounds = Array.from({ length: MAX_INVITE_ADDRESSES }, (_, round) =>
    kinds.flatMap((kind) => kind.slice(round, round + 1)),
  )
  const reach = open.length + relayed.length > 0 ? 'anywhere' : 'lan'
  return { addresses: rounds.flat().slice(0, MAX_INVITE_ADDRESSES), reach }
}

/** What a guest dials: no zone, path or TLS name. */
const isPlain = (address: string): boolean => !/\/(ip6zone|tls|sni|wss|certhash|http-path|unix)(\/|$)/.test(address)

const isLinkLocal = (host: string): boolean => /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(host)

/** TCP gets through most firewalls, QUIC through most NATs; IPv4 is in more homes. */
function byWorth(a: string, b: string): number {
  return worth(b) - worth(a)
}

function worth(address: string): number {
  const transport = address.includes('/ws') ? 0 : address.includes('/quic-v1') ? 1 : 2
  return transport + (isIP(hostOf(address)) === 6 ? 0 : 3)
}
