import { hostOf, ipv6Network, relayOf, scopeOf } from '../../p2p/index.js'
import { MAX_ROWS } from '../wire/canonical-update.js'

/**
 * Rows per address: identities cost nothing, addresses do. An address counts once its peer was connected at it, by a
 * handshake that only the owner of the peer's key can do; claims in rows count for nothing.
 */
export interface AddressQuota {
  /** A peer is connected at this multiaddr. Returns false when its row has to go, because the address has enough. */
  verified(peerId: string, multiaddr: string): boolean
  /** True for a peer that was connected to this node, whatever its address. */
  isVerified(peerId: string): boolean
  /** False for a peer whose address has its share of rows. */
  mayHold(peerId: string): boolean
  /** The peer has a row. */
  add(peerId: string): void
  /** The peer has none any more. */
  remove(peerId: string): void
}

/** Rows of one public IPv4 address or IPv6 /64: a large office behind one address, not a farm of identities. */
const MAX_ROWS_PER_ADDRESS = 64

/**
 * A quota for public addresses; this machine and local networks are not where strangers come from. `onForgotten` hears of
 * peers that no longer count as verified, as many others were connected since.
 */
export function createAddressQuota(
  onForgotten: (peerId: string) => void,
  maxRows = MAX_ROWS_PER_ADDRESS,
): AddressQuota {
  /** Peer → its address, `''` for one that does not count. The peer not seen for longest is forgotten first. */
  const addressOf = new Map<string, string>()
  const holders = new Map<string, Set<string>>()

  function release(peerId: string): void {
    const address = addressOf.get(peerId) ?? ''
    const rows = holders.get(address)
    rows?.delete(peerId)
    if (rows?.size === 0) holders.delete(address)
  }

  function add(peerId: string): void {
    const address = addressOf.get(peerId) ?? ''
    if (address === '') return
    const rows = holders.get(address) ?? new Set<string>()
    holders.set(address, rows.add(peerId))
  }

  function mayHold(peerId: string): boolean {
    const rows = holders.get(addressOf.get(peerId) ?? '')
    return rows === undefined || rows.has(peerId) || rows.size < maxRows
  }

  function remember(peerId: string, address: string): void {
    addressOf.delete(peerId)
    addressOf.set(peerId, address)
    if (addressOf.size <= MAX_ROWS) return
    for (const oldest of addressOf.keys()) {
      release(oldest)
      addressOf.delete(oldest)
      onForgotten(oldest)
      break
    }
  }

  return {
    verified(peerId, multiaddr) {
      const address = addressGroup(multiaddr)
      if (address !== addressOf.get(peerId)) release(peerId)
      remember(peerId, address)
      return mayHold(peerId)
    },
    isVerified: (peerId) => addressOf.has(peerId),
    mayHold,
    add,
    remove: release,
  }
}

/** What shares a quota: an IPv4 address, or an IPv6 /64, which is what one customer gets. `''`: counts for nobody. */
export function addressGroup(multiaddr: string): string {
  if (relayOf(multiaddr) !== undefined) return ''
  const [, protocol] = multiaddr.split('/')
  const host = hostOf(multiaddr)
  if ((protocol !== 'ip4' && protocol !== 'ip6') || scopeOf(host) !== 'public') return ''
  return protocol === 'ip4' ? host : ipv6Network(host)
}
