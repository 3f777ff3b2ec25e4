import { setTimeout } from 'node:timers/promises'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { GossipSubEvents, Message } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import type { PubSub } from '../../p2p/index.js'
import { TABLE_TOPIC } from '../constants.js'
import { decodeGossipMessage, encodeGossipMessages } from '../wire/gossip-message.js'
import type { SenderLimits } from './sender-limits.js'
import type { TableView, Verdict } from '../view/view.js'

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
    const result = validatorResult(envelopes.map((envelope) => view.ingest(envelope, 'gossip')))
    if (result === TopicValidatorResult.Reject) limits.reportInvalid(sender)
    return result === TopicValidatorResult.Accept ? afterOthersSaid(result) : result
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
  // The proof of a cheat is news as well: passed on, it makes everybody drop the cheat.
  if (verdicts.includes('accepted') || verdicts.includes('cheat')) return TopicValidatorResult.Accept
  return TopicValidatorResult.Ignore
}
