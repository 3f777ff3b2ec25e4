import { z } from 'zod'
import { defineCall, defineListFeed } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'

/** One line of the log. */
const LogLineSchema = z.object({
  /** Counts up by one for each line since the start. */
  seq: z.number().int(),
  /** Unix milliseconds. */
  atMs: z.number(),
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
  component: z.string(),
  message: z.string(),
  /** The line's other fields as JSON; empty when there are none. */
  fields: z.string(),
})
/** One line of the log; the time in Unix milliseconds. */
export type LogLine = z.output<typeof LogLineSchema>

/** Calls that read the log. */
export const logsCalls = {
  'logs.recent': defineCall('The last lines of the log.', {
    input: z.strictObject({ lines: z.number().int().min(1).max(1000).default(200) }),
    output: z.array(LogLineSchema),
  }),
}

/** The feed of log lines. */
export const logsFeeds = {
  logs: defineListFeed('The log as it is written.', LogLineSchema, LIST_FEED_KEYS.logs),
}
