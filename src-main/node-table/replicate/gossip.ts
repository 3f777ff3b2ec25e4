import { setTimeout } from 'node:timers/promises'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { GossipSubEvents, Message } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import { type PubSub, TABLE_TOPIC } from '../../p2p/index.js'
import type { GossipBudget } from '../budget/gossip-budget.js'
import type { TableView } from '../view/view.js'
import { createByteReader } from '../wire/bytes.js'
import { MAX_ENVELOPE_BYTES } from '../wire/envelope.js'
import type { SenderLimits } from './sender-limits.js'
import type { Verdict, Verifier } from './verifier.js'

/** The table's gossip: pushes envelopes to all peers, and lets through only what the verifier takes. */
export interface TableGossip {
  start(): void
  stop(): void
  /** Sends envelopes to everybody. Resolves with how many peers they were handed to directly. */
  send(envelopes: readonly Uint8Array[]): Promise<number>
  /** Calls `listener` when a peer subscribes: something sent before did not reach it. */
  onSubscriber(listener: (peerId: string) => void): void
}

export { TABLE_TOPIC }

/** Bytes of one gossip message, at most. */
export const MAX_GOSSIP_BYTES = 8192

const LENGTH_BYTES = 2
/** Gossipsub takes a validator that needs 100 ms or more for a slow one. */
const FORWARD_AFTER_MS = 20
const FORWARD_SPREAD_MS = 60

/** The table's gossip over the host's gossipsub. */
export function createTableGossip(needs: {
  pubsub: PubSub
  view: TableView
  verifier: Verifier
  limits: SenderLimits
  budget: GossipBudget
  log: Log
}): TableGossip {
  const { pubsub, view, verifier, limits, budget, log } = needs
  const subscriberListeners: ((peerId: string) => void)[] = []

  /** How many of the table's owners are direct peers of this node: 0 to 1. */
  function directShare(): number {
    const owners = pubsub.getSubscribers(TABLE_TOPIC).filter((peer) => view.get(peer.toString()) !== undefined)
    return Math.min(1, owners.length / Math.max(1, view.size - 1))
  }

  /**
   * Forwarding waits a moment, so that peers that have the message can say so (IDONTWANT) and most copies are never sent:
   * 10 instead of 57 for a row among ten nodes, measured. The row is on its way into the view meanwhile, so only further
   * hops see the wait; it is the shorter, the fewer of the table's owners are direct peers, as those depend on this node.
   */
  async function afterOthersSaid(result: TopicValidatorResult): Promise<TopicValidatorResult> {
    await setTimeout(directShare() * (FORWARD_AFTER_MS + Math.random() * FORWARD_SPREAD_MS), undefined, { ref: false })
    return result
  }

  function validate(peer: PeerId, message: Message): TopicValidatorResult | Promise<TopicValidatorResult> {
    const sender = peer.toString()
    const envelopes = decodeGossipMessage(message.data)
    if (envelopes === undefined) {
      limits.reportInvalid(sender)
      return TopicValidatorResult.Reject
    }
    if (!limits.admit(sender, envelopes.length)) return TopicValidatorResult.Ignore
    const verdicts = envelopes.map((envelope) => verifier.ingest(envelope, 'gossip', sender))
    limits.overQuota(sender, verdicts.filter((verdict) => verdict === 'over-quota').length)
    const result = validatorResult(verdicts)
    if (result === TopicValidatorResult.Reject) limits.reportInvalid(sender)
    if (result !== TopicValidatorResult.Accept) return result
    // The proof of an equivocation has no kind: it goes to everybody.
    const isProof = verdicts.includes('equivocation')
    const passed = envelopes.map((envelope) => verifier.passed(envelope))
    const useful = passed.find(({ kind }) => kind !== 'nothing') ?? passed[0] ?? { kind: 'nothing', owner: sender }
    const { byteLength: sizeBytes } = message.data
    const passesOn = isProof || budget.passesOn({ sizeBytes, from: sender, ...useful })
    return passesOn ? afterOthersSaid(result) : TopicValidatorResult.Ignore
  }

  const onSubscriptionChange = ({ detail }: GossipSubEvents['subscription-change']): void => {
    if (!detail.subscriptions.some(({ topic, subscribe }) => subscribe && topic === TABLE_TOPIC)) return
    for (const listener of subscriberListeners) listener(detail.peerId.toString())
  }

  return {
    start() {
      pubsub.topicValidators.set(TABLE_TOPIC, validate)
      pubsub.addEventListener('subscription-change', onSubscriptionChange)
      pubsub.subscribe(TABLE_TOPIC)
    },
    stop() {
      pubsub.removeEventListener('subscription-change', onSubscriptionChange)
      pubsub.topicValidators.delete(TABLE_TOPIC)
      pubsub.unsubscribe(TABLE_TOPIC)
    },
    async send(envelopes) {
      let reached = 0
      for (const message of encodeGossipMessages(envelopes)) {
        try {
          const { recipients } = await pubsub.publish(TABLE_TOPIC, message)
          reached = Math.max(reached, recipients.length)
        } catch (error) {
          // Nobody to send to, or already sent by another: a sync brings what gossip does not.
          log.debug('a gossip message was not sent', { error })
        }
      }
      return reached
    },
    onSubscriber(listener) {
      subscriberListeners.push(listener)
    },
  }
}

/** What gossipsub does with a message: forward it, drop it, or drop it and hold it against its sender. */
export function validatorResult(verdicts: readonly Verdict[]): TopicValidatorResult {
  if (verdicts.includes('malformed') || verdicts.includes('forged')) return TopicValidatorResult.Reject
  // The proof of an equivocation is news as well: passed on, it makes everybody drop that owner.
  if (verdicts.includes('accepted') || verdicts.includes('equivocation')) return TopicValidatorResult.Accept
  return TopicValidatorResult.Ignore
}

/** Packs envelopes into as few gossip messages as they fit: each envelope after its length, 16 bits big endian. */
export function encodeGossipMessages(envelopes: Iterable<Uint8Array>): Uint8Array[] {
  const messages: Uint8Array[] = []
  let parts: Uint8Array[] = []
  let size = 0
  for (const envelope of envelopes) {
    const length = new Uint8Array([envelope.byteLength >> 8, envelope.byteLength & 0xff])
    if (size + LENGTH_BYTES + envelope.byteLength > MAX_GOSSIP_BYTES) {
      messages.push(concat(parts, size))
      parts = []
      size = 0
    }
    parts.push(length, envelope)
    size += LENGTH_BYTES + envelope.byteLength
  }
  if (size > 0) messages.push(concat(parts, size))
  return messages
}

/** The envelopes of a gossip message, as views into it; `undefined` for anything else. Never throws. */
export function decodeGossipMessage(message: Uint8Array): Uint8Array[] | undefined {
  if (message.byteLength > MAX_GOSSIP_BYTES || message.byteLength === 0) return undefined
  const reader = createByteReader(message)
  const envelopes: Uint8Array[] = []
  while (!reader.isAtEnd() && !reader.hasFailed()) {
    const length = reader.u16()
    if (length === 0 || length > MAX_ENVELOPE_BYTES) return undefined
    envelopes.push(reader.take(length))
  }
  return reader.hasFailed() ? undefined : envelopes
}

function concat(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}
