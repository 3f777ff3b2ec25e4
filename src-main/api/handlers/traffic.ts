import type { TrafficEntry } from '#shared/contract/traffic.js'
import type { TrafficFeed } from '../../telemetry/traffic.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** What the traffic topic reads. */
export interface TrafficNeeds {
  traffic: Pick<TrafficFeed, 'entries' | 'subscribe'>
}

/** `traffic.recent`. */
export function createTrafficHandlers({ traffic }: TrafficNeeds): Pick<Handlers, 'traffic.recent'> {
  return { 'traffic.recent': ({ limit }) => traffic.entries().slice(-limit) }
}

/** The `traffic` feed. */
export function createTrafficSource({ traffic }: TrafficNeeds): FeedSource<TrafficEntry[]> {
  return { snapshot: () => [...traffic.entries()], subscribe: (listener) => traffic.subscribe(listener) }
}
