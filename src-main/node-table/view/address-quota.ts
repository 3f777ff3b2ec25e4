import { addressGroup, hostOf, ipv6Network, relayOf, scopeOf } from '../../p2p/index.js'
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
  /** What a peer shares with those it may be one with: its address, its IPv6 /64 or its relay; else its own id. */
  sourceOf(peerId: string): string
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
  /** Peer → where it was connected. The peer not seen for longest is forgotten first. */
  const seenAt = new Map<string, { address: string; source: string }>()
  const holders = new Map<string, Set<string>>()

  /** `''` for one that does not count. */
  const addressOf = (peerId: string): string => seenAt.get(peerId)?.address ?? ''

  function release(peerId: string): void {
    const address = addressOf(peerId)
    const rows = holders.get(address)
    rows?.delete(peerId)
    if (rows?.size === 0) holders.delete(address)
  }

  function add(peerId: string): void {
    const address = addressOf(peerId)
    if (address === '') return
    const rows = holders.get(address) ?? new Set<string>()
    holders.set(address, rows.add(peerId))
  }

  function mayHold(peerId: string): boolean {
    const rows = holders.get(addressOf(peerId))
    return rows === undefined || rows.has(peerId) || rows.size < maxRows
  }

  function remember(peerId: string, at: { address: string; source: string }): void {
    seenAt.delete(peerId)
    seenAt.set(peerId, at)
    if (seenAt.size <= MAX_ROWS) return
    for (const oldest of seenAt.keys()) {
      release(oldest)
      seenAt.delete(oldest)
      onForgotten(oldest)
      break
    }
  }

  return {
    verified(peerId, multiaddr) {
      const address = quotaGroup(multiaddr)
      if (address !== seenAt.get(peerId)?.address) release(peerId)
      remember(peerId, { address, source: addressGroup(multiaddr) })
      return mayHold(peerId)
    },
    isVerified: (peerId) => seenAt.has(peerId),
    sourceOf: (peerId) => seenAt.get(peerId)?.source ?? peerId,
    mayHold,
    add,
    remove: release,
  }
}

/** What shares a quota: an IPv4 address, or an IPv6 /64, which is what one customer gets. `''`: counts for nobody. */
export function quotaGroup(multiaddr: string): string {
  if (relayOf(multiaddr) !== undefined) return ''
  const [, protocol] = multiaddr.split('/')
  const host = hostOf(multiaddr)
  if ((protocol !== 'ip4' && protocol !== 'ip6') || scopeOf(host) !== 'public') return ''
  return protocol === 'ip4' ? host : ipv6Network(host)
}
