import { applyListDelta, LIST_FEED_KEYS, type ListDelta } from './list-feeds.js'
import type { FeedMessage } from './wire.js'
import type { CallInput, CallName, CallOutput, FeedDelta, FeedName, FeedSnapshot } from './index.js'

/** What a follower of a feed is told. After `lost` a new snapshot comes by itself once the node answers again. */
export interface FeedObserver<N extends FeedName> {
  onSnapshot(snapshot: FeedSnapshot<N>): void
  onDelta(delta: FeedDelta<N>): void
  /** The connection is gone or the node refused; the observer's last state may be out of date. */
  onLost?(error: Error): void
}

/** The control interface as a user interface sees it, whatever carries it. */
export interface Client {
  /** Rejects with an `AppError` whose code says why. */
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>
  /** Follows a feed until the returned function is called. */
  follow<N extends FeedName>(feed: N, observer: FeedObserver<N>): () => void
}

/** Follows a feed and hands over the whole state after each change, deltas already applied. */
export function followState<N extends FeedName>(
  client: Pick<Client, 'follow'>,
  feed: N,
  observer: { onState(state: FeedSnapshot<N>): void; onLost?(error: Error): void },
): () => void {
  let state: FeedSnapshot<N> | undefined
  return client.follow(feed, {
    onSnapshot(snapshot) {
      state = snapshot
      observer.onState(state)
    },
    onDelta(delta) {
      if (state === undefined) return
      state = applyDelta(feed, state, delta)
      observer.onState(state)
    },
    onLost: observer.onLost?.bind(observer),
  })
}

/** Turns feed messages into an observer's calls; `resync` is called when a delta doesn't fit what was received before. */
export function createFeedReceiver<N extends FeedName>(observer: FeedObserver<N>, resync: () => void) {
  let revision: number | undefined
  return {
    receive(message: FeedMessage): void {
      if (message.type === 'snapshot') {
        revision = message.revision
        observer.onSnapshot(message.data as FeedSnapshot<N>)
      } else if (message.from === revision) {
        revision = message.revision
        observer.onDelta(message.data as FeedDelta<N>)
      } else {
        resync()
      }
    },
  }
}

/** The state after a change, as the feed's definition has it; the schemas are not needed for it. */
function applyDelta<N extends FeedName>(feed: N, state: FeedSnapshot<N>, delta: FeedDelta<N>): FeedSnapshot<N> {
  if (!isListFeed(feed)) return delta as FeedSnapshot<N>
  // The name of the feed says what its items are, which TypeScript can't follow through the table.
  const keyOf = LIST_FEED_KEYS[feed] as (item: unknown) => string
  return applyListDelta(keyOf, state as unknown[], delta as ListDelta<unknown>) as FeedSnapshot<N>
}

function isListFeed(feed: FeedName): feed is keyof typeof LIST_FEED_KEYS {
  return Object.hasOwn(LIST_FEED_KEYS, feed)
}
