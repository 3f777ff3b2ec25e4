import type { LogLine } from '#shared/contract/node/logs.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** The last lines of the log. */
export interface LogsSource {
  /** Oldest first; a line stays the same object. */
  lines(): LogLine[]
  /** Calls `listener` after each new line; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** `logs.recent`. */
export function createLogsHandlers(needs: { logs: LogsSource }): Pick<Handlers, 'logs.recent'> {
  return { 'logs.recent': ({ lines }) => needs.logs.lines().slice(-lines) }
}

/** The `logs` feed. */
export function createLogsFeed(needs: { logs: LogsSource }): FeedSource<LogLine[]> {
  return { snapshot: () => needs.logs.lines(), subscribe: (listener) => needs.logs.subscribe(listener) }
}
