import type { z } from 'zod'
import { logsCalls, logsFeeds } from './logs.js'
import { modelsCalls, modelsFeeds } from './models.js'
import { nodeCalls, nodeFeeds } from './node.js'
import { peersCalls, peersFeeds } from './peers.js'
import { servicesCalls, servicesFeeds } from './services.js'
import { settingsCalls } from './settings.js'
import { tableCalls } from './table.js'
import { trafficCalls, trafficFeeds } from './traffic.js'

/** Every call a user interface may make. Dispatch, both transports, the command line and the test double derive from it. */
export const CALLS = {
  ...nodeCalls, // node.status, node.capabilities
  ...peersCalls, // peers.list
  ...tableCalls, // table.rows
  ...modelsCalls, // models.list
  ...servicesCalls, // services.list
  ...settingsCalls, // settings.list, settings.set
  ...logsCalls, // logs.recent
  ...trafficCalls, // traffic.recent, traffic.history
} as const

/** Every feed a user interface may follow. */
export const FEEDS = {
  ...nodeFeeds, // status
  ...peersFeeds, // peers
  ...modelsFeeds, // models
  ...servicesFeeds, // services
  ...logsFeeds, // logs
  ...trafficFeeds, // traffic
} as const

export type CallName = keyof typeof CALLS
/** What a caller passes: fields with defaults may be left out. */
export type CallInput<N extends CallName> = z.input<(typeof CALLS)[N]['input']>
/** What a handler gets: validated, defaults filled in. */
export type ParsedInput<N extends CallName> = z.output<(typeof CALLS)[N]['input']>
export type CallOutput<N extends CallName> = z.output<(typeof CALLS)[N]['output']>

export type FeedName = keyof typeof FEEDS
export type FeedSnapshot<N extends FeedName> = z.output<(typeof FEEDS)[N]['snapshot']>
export type FeedDelta<N extends FeedName> = z.output<(typeof FEEDS)[N]['delta']>

/** Whether the contract has a call of that name. */
export function isCallName(name: string): name is CallName {
  return Object.hasOwn(CALLS, name)
}

/** Whether the contract has a feed of that name. */
export function isFeedName(name: string): name is FeedName {
  return Object.hasOwn(FEEDS, name)
}
