import type { AutoNATComponents } from '@libp2p/autonat'
import type { CircuitRelayServerComponents } from '@libp2p/circuit-relay-v2'
import type { IdentifyResult, PeerId } from '@libp2p/interface'
import { within } from '../../../base/within.js'

/** Tells peers of this network from others that speak libp2p. */
export interface RelayMembers {
  /** Whether a connected peer has said that it speaks a protocol of this network; waits until it says what it speaks. */
  has(peer: PeerId): Promise<boolean>
  stop(): void
}

/** Every node serves some of these. */
const OWN_PROTOCOLS = '/ocf/'

/** A peer asks for a reservation as soon as it knows the relay, which may be before the relay knows the peer. */
const IDENTIFY_WAIT_MS = 4_000

/**
 * A relay sees nothing of what it carries, so it goes by what its peers tell of themselves (identify). It keeps other
 * programs out and no one who poses as a node: the quota and the slots hold for those as for all.
 */
export function createRelayMembers(
  needs: Pick<CircuitRelayServerComponents, 'peerStore'> & Pick<AutoNATComponents, 'events'>,
  options: { waitMs: number } = { waitMs: IDENTIFY_WAIT_MS },
): RelayMembers {
  const { peerStore, events } = needs
  /** Peers that are waited for: one promise for all that a peer asks meanwhile. */
  const waiting = new Map<string, PromiseWithResolvers<boolean>>()

  const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    waiting.get(detail.peerId.toString())?.resolve(detail.protocols.some(isOwn))
  }
  events.addEventListener('peer:identify', onIdentify)

  async function told(peer: PeerId): Promise<boolean> {
    const id = peer.toString()
    const answer = waiting.get(id) ?? Promise.withResolvers<boolean>()
    waiting.set(id, answer)
    try {
      // It may have come while nothing waited for it.
      if (await isKnown(peer)) return true
      return await within(answer.promise, options.waitMs, () => false)
    } finally {
      if (waiting.get(id) === answer) waiting.delete(id)
    }
  }

  async function isKnown(peer: PeerId): Promise<boolean> {
    if (!(await peerStore.has(peer))) return false
    return (await peerStore.get(peer)).protocols.some(isOwn)
  }

  return {
    has: async (peer) => (await isKnown(peer)) || (await told(peer)),
    stop: () => events.removeEventListener('peer:identify', onIdentify),
  }
}

const isOwn = (protocol: string): boolean => protocol.startsWith(OWN_PROTOCOLS)
