import { useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import type { HistoryRange, TrafficHistoryView } from '#shared/contract/node/traffic.js'
import { createCallStore } from './call-store.js'
import type { FeedState } from './feed-store.js'
import { useClient } from './hooks.js'

/** How often each range is asked for again: about as often as its picture can change. */
const REFRESH_MS: Readonly<Record<HistoryRange, number>> = { '5m': 2000, '1h': 10_000, '24h': 60_000, '30d': 300_000 }

/** The traffic of a range of time, asked for again while it is looked at. */
export function useHistory(range: HistoryRange): FeedState<TrafficHistoryView> {
  const client = useClient()
  const history = useMemo(() => createCallStore(client, 'traffic.history', { range }), [client, range])
  useEffect(() => {
    void history.load()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void history.load()
    }, REFRESH_MS[range])
    return () => clearInterval(timer)
  }, [history, range])
  return useStore(history.store)
}
