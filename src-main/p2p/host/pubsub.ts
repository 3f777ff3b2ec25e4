import type { GossipSub } from '@libp2p/gossipsub'

/** The gossipsub service of the host. */
export type PubSub = GossipSub
