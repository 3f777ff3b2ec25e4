import type { GossipSubEvents, Message } from '@libp2p/gossipsub'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import type { Host } from '../../p2p/index.js'
import { decodeBroadcast, encodeBroadcast, HEADS_TOPIC, LIVENESS_TOPIC, PING } from '../codecs/broadcast.js'
import type { Cid } from '../codecs/cid.js'

/** Topics of the Go network: signed messages, in the gossip that the node table has too. */
export const GO_TOPICS = [HEADS_TOPIC, LIVENESS_TOPIC]

/** Messages that are read and passed on, of one neighbour and of one author: at once, and a second after that. */
const MESSAGES: BucketRate = { capacity: 128, refillPerS: 16 }
const OF_AN_AUTHOR: BucketRate = { capacity: 32, refillPerS: 2 }
const MAX_REMEMBERED = 4_096
/** A broadcast with some hundred heads has 4 KB. */
const MAX_MESSAGE_BYTES = 64 * 1024

/** What {@link GoGossip} works with. */
export interface GoGossipNeeds {
  host: Host
  /** Somebody else named these blocks; `from` is the neighbour that it was heard from. */
  onHeads: (heads: readonly Cid[], from: string) => void
  /** A neighbour takes part in the Go network that did not before. */
  onSubscriber: () => void
  monotonic: MonotonicClock
  log: Log
}

/** What is said to all of the Go network, and heard from it. */
export class GoGossip {
  readonly #needs: GoGossipNeeds
  readonly #neighbours = new BoundedMap<string, Bucket>(MAX_REMEMBERED)
  readonly #authors = new BoundedMap<string, Bucket>(MAX_REMEMBERED)
  #isStarted = false

  constructor(needs: GoGossipNeeds) {
    this.#needs = needs
  }

  start(): void {
    const { pubsub } = this.#needs.host
    this.#isStarted = true
    pubsub.addEventListener('subscription-change', this.#onSubscription)
    for (const topic of GO_TOPICS) {
      pubsub.topicValidators.set(topic, (peer, message) => this.#validate(peer, message))
      pubsub.subscribe(topic)
    }
  }

  stop(): void {
    if (!this.#isStarted) return
    this.#isStarted = false
    const { pubsub } = this.#needs.host
    pubsub.removeEventListener('subscription-change', this.#onSubscription)
    for (const topic of GO_TOPICS) {
      pubsub.topicValidators.delete(topic)
      pubsub.unsubscribe(topic)
    }
  }

  readonly #onSubscription = ({ detail }: GossipSubEvents['subscription-change']): void => {
    if (detail.subscriptions.some(({ topic, subscribe }) => subscribe && topic === HEADS_TOPIC))
      this.#needs.onSubscriber()
  }

  broadcast(heads: readonly Cid[]): void {
    void this.#publish(HEADS_TOPIC, encodeBroadcast(heads))
  }

  sayHere(): void {
    void this.#publish(LIVENESS_TOPIC, PING)
  }

  async #publish(topic: string, data: Uint8Array): Promise<void> {
    const { host, log } = this.#needs
    if (!this.#isStarted) return
    try {
      await host.pubsub.publish(topic, data)
    } catch (error) {
      // There is nobody to say it to; it is said again.
      log.debug('a message to the Go network was not sent', { topic, error })
    }
  }

  /**
   * Nothing of it is rejected, which would be held against an honest neighbour: nodes of the Go program pass on whatever is
   * signed, and it means nothing to them who wrote it.
   */
  #validate(peer: PeerId, message: Message): TopicValidatorResult {
    const { host, monotonic } = this.#needs
    const now = monotonic.elapsedMs()
    const from = peer.toString()
    const author = message.type === 'signed' ? message.from.toString() : undefined
    if (author === undefined || author === host.peerId || message.data.byteLength > MAX_MESSAGE_BYTES)
      return TopicValidatorResult.Ignore
    const isPaid =
      take(this.#neighbours, from, { rate: MESSAGES, now }) && take(this.#authors, author, { rate: OF_AN_AUTHOR, now })
    if (!isPaid) return TopicValidatorResult.Ignore
    if (message.topic === HEADS_TOPIC) {
      const heads = decodeBroadcast(message.data)
      if (heads === undefined) return TopicValidatorResult.Ignore
      this.#needs.onHeads(heads, from)
    }
    return TopicValidatorResult.Accept
  }
}

function take(
  buckets: BoundedMap<string, Bucket>,
  key: string,
  { rate, now }: { rate: BucketRate; now: number },
): boolean {
  const bucket = refilled(buckets.peek(key) ?? fullBucket(rate, now), rate, now)
  const isEnough = bucket.tokens >= 1
  buckets.set(key, isEnough ? { ...bucket, tokens: bucket.tokens - 1 } : bucket)
  return isEnough
}
