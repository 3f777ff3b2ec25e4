// For @libp2p/gossipsub 17.1.1: it writes to the peer store for each PRUNE, without an end to what waits
// (`tagMeshPeers`), takes 5,000 control messages in an RPC of 4 MiB, and answers all of an IWANT in one RPC. Goes when
// an RPC of many control messages costs its sender more than its reader, and answers are split.

import type { GossipSub, GossipsubOpts } from '@libp2p/gossipsub'
import { PeerBudget } from '../stream-bounds/peer-budget.js'
import type { StreamRule } from '../stream-bounds/stream-rules.js'

/** Bytes of messages that this node puts into one RPC; a message of the node table has 8 KiB at most. */
const SPLIT_AT_BYTES = 64 * 1024
/** Messages that this node puts into one RPC. */
const SPLIT_AT_MESSAGES = 32

/** An RPC of ours with every list of message ids that fits beside its messages. */
const MAX_RPC_BYTES = 256 * 1024

/** The gossipsub options that bound what an RPC may hold. `topics`: all that this node takes part in. */
export function gossipLimits(topics: readonly string[]) {
  return {
    allowedTopics: [...topics],
    maxInboundDataLength: MAX_RPC_BYTES,
    // Connections are kept and evicted by hardening/connection-limits, which reads no such tag.
    tagMeshPeers: false,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: SPLIT_AT_MESSAGES,
      maxControlMessages: 8,
      // Ids are cheap, and as many as there are rows may be new at once.
      maxIhaveMessageIDs: 5000,
      maxIwantMessageIDs: 5000,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 16,
    },
  } satisfies Partial<GossipsubOpts>
}

/**
 * What a peer may send on its streams of gossip. A network of thousands that all start at once sends some 400 KB/s
 * through one of the mesh; an attacker gets no more out of a core.
 */
export function gossipRule(): StreamRule {
  return {
    protocols: ['/meshsub/1.2.0', '/meshsub/1.1.0', '/meshsub/1.0.0', '/floodsub/1.0.0'],
    maxFrameBytes: MAX_RPC_BYTES,
    bytes: new PeerBudget({ capacity: 8 * 1024 * 1024, refillPerS: 512 * 1024 }),
    messages: new PeerBudget({ capacity: 1500, refillPerS: 200 }),
    overspent: Infinity,
  }
}

/** What is used of the library's RPC. */
interface Rpc {
  subscriptions: object[]
  messages: { data?: Uint8Array }[]
}

/** What the library has no option for. */
interface Internals {
  sendRpc(peerId: string, rpc: Rpc): boolean
}

/** Makes gossipsub send many messages in several RPCs, so that no reader has to take a long one. */
export function splitRpcs(pubsub: GossipSub): GossipSub {
  const internals = pubsub as unknown as Internals
  const send = internals.sendRpc.bind(pubsub)
  internals.sendRpc = (peerId, rpc) => {
    const [first = [], ...rest] = partsOf(rpc.messages)
    if (rest.length === 0) return send(peerId, rpc)
    return (
      send(peerId, { ...rpc, messages: first }) &&
      rest.every((messages) => send(peerId, { subscriptions: [], messages }))
    )
  }
  return pubsub
}

function partsOf(messages: Rpc['messages']): Rpc['messages'][] {
  const parts: Rpc['messages'][] = []
  let bytes = Infinity
  for (const message of messages) {
    const part = parts.at(-1)
    const size = message.data?.byteLength ?? 0
    if (part === undefined || part.length === SPLIT_AT_MESSAGES || bytes + size > SPLIT_AT_BYTES) {
      parts.push([message])
      bytes = size
    } else {
      part.push(message)
      bytes += size
    }
  }
  return parts
}
