import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import type { TrafficFeed, TrafficHistory } from '../../telemetry/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** What the traffic topic reads. */
export interface TrafficNeeds {
  traffic: Pick<TrafficFeed, 'entries' | 'subscribe'>
  history: Pick<TrafficHistory, 'read'>
}

/** `traffic.recent` and `traffic.history`. */
export function createTrafficHandlers({
  traffic,
  history,
}: TrafficNeeds): Pick<Handlers, 'traffic.recent' | 'traffic.history'> {
  return {
    'traffic.recent': ({ limit }) => traffic.entries().slice(-limit),
    'traffic.history': ({ range }) => history.read(range),
  }
}

/** The `traffic` feed. */
export function createTrafficSource({ traffic }: Pick<TrafficNeeds, 'traffic'>): FeedSource<TrafficEntry[]> {
  return { snapshot: () => [...traffic.entries()], subscribe: (listener) => traffic.subscribe(listener) }
}
