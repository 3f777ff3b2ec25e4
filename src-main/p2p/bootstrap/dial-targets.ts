import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

/** All addresses of one peer, to be dialled together. Without a peer id: a single address, the peer is learnt. */
export interface DialTarget {
  peerId: string | undefined
  addresses: Multiaddr[]
}

const MAX_ADDRESSES_PER_PEER = 16

/**
 * Groups addresses by peer, in the order peers first appear, and leaves out this node itself: by its peer id, or, for
 * an address without one, because this node listens there.
 */
export function dialTargets(
  addresses: readonly string[],
  self: { peerId: string; multiaddrs: string[] },
): DialTarget[] {
  const own = new Set(self.multiaddrs.map(withoutPeer))
  const targets = new Map<string, DialTarget>()
  for (const text of addresses) {
    const address = multiaddr(text)
    const peerId = peerIdOf(address)
    if (peerId === self.peerId || (peerId === undefined && own.has(withoutPeer(text)))) continue
    const key = peerId ?? text
    const target = targets.get(key) ?? { peerId, addresses: [] }
    if (target.addresses.length < MAX_ADDRESSES_PER_PEER) target.addresses.push(address)
    targets.set(key, target)
  }
  return [...targets.values()]
}

/** The peer at the end of an address; of `/p2p/<relay>/p2p-circuit/p2p/<peer>` the last one. */
function peerIdOf(address: Multiaddr): string | undefined {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' ? last.value : undefined
}

function withoutPeer(text: string): string {
  return text.replace(/\/p2p\/[^/]+$/, '')
}
