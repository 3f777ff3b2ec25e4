import { createStore, type StoreApi } from 'zustand/vanilla'
import { followState, type Client } from '#shared/contract/client.js'
import type { FeedName, FeedSnapshot } from '#shared/contract/index.js'

/** What a page knows of a feed. `lost` keeps the last data, which may be out of date. */
export type FeedState<T> =
  | { phase: 'loading' }
  | { phase: 'live'; data: T }
  | { phase: 'lost'; data: T | undefined; error: Error }

/** A topic's store: follows its feed while somebody looks at it. */
export interface FeedStore<T> {
  readonly store: StoreApi<FeedState<T>>
  /** Begins or joins following; the feed ends with the last one who leaves. */
  watch(): () => void
}

/** A store over one feed of the node. */
export function createFeedStore<N extends FeedName>(
  client: Pick<Client, 'follow'>,
  feed: N,
): FeedStore<FeedSnapshot<N>> {
  const store = createStore<FeedState<FeedSnapshot<N>>>(() => ({ phase: 'loading' }))
  let watchers = 0
  let stop: (() => void) | undefined

  function follow(): () => void {
    return followState(client, feed, {
      onState: (data) => store.setState({ phase: 'live', data }, true),
      onLost(error) {
        const before = store.getState()
        store.setState({ phase: 'lost', data: before.phase === 'loading' ? undefined : before.data, error }, true)
      },
    })
  }

  return {
    store,
    watch() {
      watchers += 1
      stop ??= follow()
      let left = false
      return () => {
        if (left) return
        left = true
        watchers -= 1
        if (watchers > 0) return
        stop?.()
        stop = undefined
      }
    },
  }
}

/** The data of a feed, live or last seen; undefined when none ever came. */
export function dataOf<T>(state: FeedState<T>): T | undefined {
  return state.phase === 'loading' ? undefined : state.data
}
