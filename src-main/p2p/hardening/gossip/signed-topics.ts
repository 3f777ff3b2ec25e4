// For @libp2p/gossipsub 17.1.1: whether messages are signed is one choice for all topics, and the Go program takes one
// stream of gossip from a peer, so that there is no room for a second gossipsub. Goes when the policy is a topic's.

import { StrictNoSign, StrictSign, type GossipSub, type GossipsubOpts, type Message } from '@libp2p/gossipsub'
import { sha256 } from 'multiformats/hashes/sha2'

/** What is used of the library: both fields are read before either method waits for anything. */
interface Internals {
  globalSignaturePolicy: typeof StrictSign | typeof StrictNoSign
  publishConfig: unknown
  validateReceivedMessage(from: unknown, message: { topic: string }): Promise<unknown>
  publish(topic: string, data: Uint8Array, options?: object): ReturnType<GossipSub['publish']>
}

/** The library's word for messages without author, number and signature. */
const ANONYMOUS = { type: 1 }

/** Options of a gossipsub some of whose topics are signed; {@link signOnly} belongs to it. Without any, none is. */
export function signatureOptions(signedTopics: readonly string[]): Partial<GossipsubOpts> {
  if (signedTopics.length === 0) return { globalSignaturePolicy: StrictNoSign }
  return { globalSignaturePolicy: StrictSign, msgIdFn: messageId }
}

/** Author and number, as go-libp2p-pubsub counts messages; of unsigned ones the hash of what they hold. */
async function messageId(message: Message): Promise<Uint8Array> {
  if (message.type !== 'signed') return await sha256.encode(message.data)
  const author = message.from.toMultihash().bytes
  const id = new Uint8Array(author.byteLength + 8)
  id.set(author)
  new DataView(id.buffer).setBigUint64(author.byteLength, message.sequenceNumber)
  return id
}

/** Makes a gossipsub that signs do so in these topics alone; in all others a signature is refused. */
export function signOnly(pubsub: GossipSub, signedTopics: readonly string[]): GossipSub {
  if (signedTopics.length === 0) return pubsub
  const internals = pubsub as unknown as Internals
  const isSigned = (topic: string): boolean => signedTopics.includes(topic)
  const validate = internals.validateReceivedMessage.bind(pubsub)
  const publish = internals.publish.bind(pubsub)
  internals.validateReceivedMessage = (from, message) => {
    internals.globalSignaturePolicy = isSigned(message.topic) ? StrictSign : StrictNoSign
    try {
      return validate(from, message)
    } finally {
      internals.globalSignaturePolicy = StrictSign
    }
  }
  internals.publish = (topic, data, options) => {
    const signing = internals.publishConfig
    if (!isSigned(topic)) internals.publishConfig = ANONYMOUS
    try {
      return publish(topic, data, options)
    } finally {
      internals.publishConfig = signing
    }
  }
  return pubsub
}
