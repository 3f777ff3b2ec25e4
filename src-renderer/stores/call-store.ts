import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Client } from '#shared/contract/client.js'
import type { CallInput, CallName, CallOutput } from '#shared/contract/index.js'
import type { FeedState } from './feed-store.js'

/** A topic that is asked for and not followed. */
export interface CallStore<T> {
  readonly store: StoreApi<FeedState<T>>
  /** Asks again; what is shown stays until the answer is there. */
  load(): Promise<void>
}

/** A store over one call of the node. */
export function createCallStore<N extends CallName>(
  client: Pick<Client, 'call'>,
  name: N,
  input: CallInput<N>,
): CallStore<CallOutput<N>> {
  const store = createStore<FeedState<CallOutput<N>>>(() => ({ phase: 'loading' }))
  return {
    store,
    async load() {
      try {
        store.setState({ phase: 'live', data: await client.call(name, input) }, true)
      } catch (error) {
        const before = store.getState()
        store.setState(
          {
            phase: 'lost',
            data: before.phase === 'loading' ? undefined : before.data,
            error: error instanceof Error ? error : new Error(String(error)),
          },
          true,
        )
      }
    },
  }
}
