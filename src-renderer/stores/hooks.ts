import { createContext, use, useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import type { Client } from '#shared/contract/client.js'
import type { CallOutput } from '#shared/contract/index.js'
import type { Capability } from '#shared/contract/node/node.js'
import type { Chats } from './chats/index.js'
import type { ChatKeeper } from './chats/keeper.js'
import { dataOf, type FeedState, type FeedStore } from './feed-store.js'
import type { Stores } from './index.js'

/** The stores of this page; given once, at the root. */
export const StoresContext = createContext<Stores | undefined>(undefined)

function useStores(): Stores {
  const stores = use(StoresContext)
  if (stores === undefined) throw new Error('A page was shown without its stores.')
  return stores
}

/** The topics that are followed. */
type Followed = { [K in keyof Stores]: Stores[K] extends FeedStore<unknown> ? K : never }[keyof Stores]
type Data<K extends Followed> = Stores[K] extends FeedStore<infer T> ? T : never

/** A feed's state; it is followed while the component is shown. */
export function useFeed<K extends Followed>(feed: K): FeedState<Data<K>> {
  // The key chose the store, which TypeScript can't follow through the union.
  const topic = useStores()[feed] as unknown as FeedStore<Data<K>>
  useEffect(() => topic.watch(), [topic])
  return useStore(topic.store)
}

/** The way to do something at the node. */
export function useClient(): Client {
  return useStores().client
}

/** The conversations of this page. */
export function useChats(): Chats {
  return useStores().chats
}

/** What keeps the conversations of this page on this computer, where the person wants that. */
export function useKeeper(): ChatKeeper {
  return useStores().keeper
}

/** The two sides of a comparison, and the stores for what shows one of them in the place of the conversations. */
export function useCompared(): readonly { chats: Chats; stores: Stores }[] {
  const stores = useStores()
  return useMemo(() => stores.compared.map((chats) => ({ chats, stores: { ...stores, chats } })), [stores])
}

/** The settings in force, asked for when the component appears and when a node that was away is back. */
export function useSettings(): { state: FeedState<CallOutput<'settings.list'>>; reload: () => void } {
  const { settings } = useStores()
  const isAway = useFeed('status').phase === 'lost'
  const reload = (): void => void settings.load()
  useEffect(() => {
    if (!isAway) void settings.load()
  }, [settings, isAway])
  return { state: useStore(settings.store), reload }
}

/** What this place can do besides showing the page; none before the node answered. */
export function useCapabilities(): readonly Capability[] {
  const { capabilities } = useStores()
  useEffect(() => void capabilities.load(), [capabilities])
  return dataOf(useStore(capabilities.store)) ?? []
}
