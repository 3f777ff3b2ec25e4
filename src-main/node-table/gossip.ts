import { setTimeout } from 'node:timers/promises'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { GossipSubEvents, Message } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import type { Log } from '../logging/index.js'
import type { PubSub } from '../p2p/pubsub.js'
import { TABLE_TOPIC } from './constants.js'
import { decodeGossipMessage, encodeGossipMessages } from './gossip-message.js'
import type { SenderLimits } from './sender-limits.js'
import type { TableView, Verdict } from './view.js'

/** The table's gossip: pushes envelopes to everybody, and lets through only what the view takes. */
export interface TableGossip {
  start(): void
  stop(): void
  /** Sends envelopes to everybody. Resolves with how many peers they were handed to directly. */
  send(envelopes: readonly Uint8Array[]): Promise<number>
  /** Calls `listener` when a peer subscribes: something sent before did not reach it. */
  onSubscriber(listener: (peerId: string) => void): void
}

/** Gossipsub takes a validator that needs 100 ms or more for a slow one. */
const FORWARD_AFTER_MS = 20
const FORWARD_SPREAD_MS = 60

/** The table's gossip over the host's gossipsub. */
export function createTableGossip(needs: {
  pubsub: PubSub
  view: TableView
  limits: SenderLimits
  log: Log
}): TableGossip {
  const { pubsub, view, limits, log } = needs
  const subscriberListeners: ((peerId: string) => void)[] = []

  /** How many of the table's owners are direct peers of this node: 0 to 1. */
  function directShare(): number {
    const owners = pubsub.getSubscribers(TABLE_TOPIC).filter((peer) => view.get(peer.toString()) !== undefined)
    return Math.min(1, owners.length / Math.max(1, view.size - 1))
  }

  /**
   * Forwarding waits a moment, so that peers that have the message can say so (IDONTWANT) and most copies are never sent:
   * 10 instead of 57 for a row among ten nodes, measured. The view has the row already, so only further hops see the
   * wait; it is the shorter the fewer of the table's owners are our direct peers, as it is then us who bring it them.
   */
  async function afterOthersSaid(isFromOwner: boolean): Promise<TopicValidatorResult> {
    const direct = directShare()
    if (isFromOwner && Math.random() >= forwardChance(direct, view.size)) return TopicValidatorResult.Ignore
    await setTimeout(direct * (FORWARD_AFTER_MS + Math.random() * FORWARD_SPREAD_MS), undefined, { ref: false })
    return TopicValidatorResult.Accept
  }

  function isLatestOf(peerId: string, envelope: Uint8Array | undefined): boolean {
    const entry = view.entry(peerId)
    return entry !== undefined && envelope !== undefined && Buffer.compare(entry.bytes, envelope) === 0
  }

  function validate(peer: PeerId, message: Message): TopicValidatorResult | Promise<TopicValidatorResult> {
    const sender = peer.toString()
    const envelopes = decodeGossipMessage(message.data)
    if (envelopes === undefined) {
      limits.reportInvalid(sender)
      return TopicValidatorResult.Reject
    }
    if (!limits.admit(sender, envelopes.length)) return TopicValidatorResult.Ignore
    const verdicts = envelopes.map((envelope) => view.ingest(envelope, 'gossip'))
    const result = validatorResult(verdicts)
    if (result === TopicValidatorResult.Reject) limits.reportInvalid(sender)
    if (result !== TopicValidatorResult.Accept) return result
    // A row that its owner has just pushed is also in the view of whoever else the owner is connected to.
    const isFromOwner = verdicts.length === 1 && verdicts[0] === 'accepted' && isLatestOf(sender, envelopes[0])
    return afterOthersSaid(isFromOwner)
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

/**
 * The chance with which a node forwards what it has straight from its owner, who pushes a row to all its peers. In a
 * network where nearly everybody is everybody's peer nearly everybody has it, and a few forwards find the rest; where
 * less than four fifths are, or hardly anybody is there, everybody forwards.
 */
export function forwardChance(directShare: number, rows: number): number {
  if (directShare < 0.8) return 1
  return Math.max(Math.min(1, 4 / rows), 0.1, 1 - directShare ** 4)
}

/** What gossipsub does with a message: forward it, drop it, or drop it and hold it against its sender. */
export function validatorResult(verdicts: readonly Verdict[]): TopicValidatorResult {
  if (verdicts.includes('malformed') || verdicts.includes('forged')) return TopicValidatorResult.Reject
  // The proof of a cheat is news as well: passed on, it makes everybody drop the cheat.
  if (verdicts.includes('accepted') || verdicts.includes('cheat')) return TopicValidatorResult.Accept
  return TopicValidatorResult.Ignore
}
