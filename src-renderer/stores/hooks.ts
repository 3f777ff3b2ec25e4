import { createContext, use, useEffect } from 'react'
import { useStore } from 'zustand'
import type { FeedName, FeedSnapshot } from '#shared/contract/index.js'
import type { CallOutput } from '#shared/contract/index.js'
import type { FeedState, FeedStore } from './feed-store.js'
import type { Stores } from './index.js'

/** The stores of this page; given once, at the root. */
export const StoresContext = createContext<Stores | undefined>(undefined)

function useStores(): Stores {
  const stores = use(StoresContext)
  if (stores === undefined) throw new Error('A page was shown without its stores.')
  return stores
}

/** A feed's state; it is followed while the component is shown. */
export function useFeed<N extends FeedName>(feed: N): FeedState<FeedSnapshot<N>> {
  // The key chose the store, which TypeScript can't follow through the union.
  const topic = useStores()[feed] as unknown as FeedStore<FeedSnapshot<N>>
  useEffect(() => topic.watch(), [topic])
  return useStore(topic.store)
}

/** The settings in force, asked for when the component appears. */
export function useSettings(): { state: FeedState<CallOutput<'settings.list'>>; reload: () => void } {
  const { settings } = useStores()
  const reload = (): void => void settings.load()
  useEffect(() => void settings.load(), [settings])
  return { state: useStore(settings.store), reload }
}
