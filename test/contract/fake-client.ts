import type { Client } from '#shared/contract/client.js'
import {
  CALLS,
  type CallName,
  type CallOutput,
  type FeedDelta,
  type FeedName,
  type FeedSnapshot,
} from '#shared/contract/index.js'
import { AppError } from '#shared/errors.js'

/** A client whose answers and feeds are set by the test. */
export interface FakeClient extends Client {
  /** What was called, in order. */
  readonly called: { name: CallName; input: unknown }[]
  /** Sets what a call answers; an error is thrown. */
  answer<N extends CallName>(name: N, answer: CallOutput<N> | AppError): void
  snapshot<N extends FeedName>(feed: N, state: FeedSnapshot<N>): void
  delta<N extends FeedName>(feed: N, delta: FeedDelta<N>): void
  lose(feed: FeedName, error: Error): void
  /** How many follow a feed now. */
  followers(feed: FeedName): number
}

interface AnyObserver {
  onSnapshot(state: unknown): void
  onDelta(delta: unknown): void
  onLost?(error: Error): void
}

/** A {@link Client} without a node. It holds callers to the contract: input the node would refuse is refused here too. */
export function createFakeClient(): FakeClient {
  const answers = new Map<CallName, unknown>()
  const observers = new Map<FeedName, Set<AnyObserver>>()
  const called: FakeClient['called'] = []
  const each = (feed: FeedName, tell: (observer: AnyObserver) => void): void => observers.get(feed)?.forEach(tell)
  return {
    called,
    async call(name, input) {
      called.push({ name, input: CALLS[name].input.parse(input) })
      const answer = answers.get(name)
      if (answer instanceof AppError) throw answer
      if (answer === undefined) throw new AppError('not_found', `The test gave no answer to ${name}.`)
      return Promise.resolve(answer as CallOutput<typeof name>)
    },
    follow(feed, observer) {
      const own = observers.get(feed) ?? new Set()
      observers.set(feed, own)
      own.add(observer)
      return () => own.delete(observer)
    },
    answer: (name, answer) => answers.set(name, answer),
    snapshot: (feed, state) => each(feed, (observer) => observer.onSnapshot(state)),
    delta: (feed, delta) => each(feed, (observer) => observer.onDelta(delta)),
    lose: (feed, error) => each(feed, (observer) => observer.onLost?.(error)),
    followers: (feed) => observers.get(feed)?.size ?? 0,
  }
}
