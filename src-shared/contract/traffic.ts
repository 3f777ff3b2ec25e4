import { z } from 'zod'
import { defineCall, defineListFeed } from './define.js'
import { PathKindSchema } from './peers.js'

/**
 * One request that went through this node. `out`: a local app used a peer. `in`: a peer used this machine.
 * `local`: a local app used this machine.
 */
export const TrafficEntrySchema = z.object({
  /** The request id that headers, logs and errors carry too. */
  id: z.string(),
  /** Unix milliseconds. */
  atMs: z.number(),
  direction: z.enum(['out', 'in', 'local']),
  service: z.string(),
  method: z.string(),
  route: z.string(),
  model: z.string().nullable(),
  /** Who served it (`out`) or asked for it (`in`). */
  peer: z.string().nullable(),
  /** Null while no connection was chosen, and for `local`. */
  path: PathKindSchema.nullable(),
  /** Providers tried, the one that answered included. */
  tries: z.number().int(),
  /** HTTP status; null while it waits for headers. */
  status: z.number().int().nullable(),
  /** A code of the error vocabulary, when it failed. */
  error: z.string().nullable(),
  /** From the request's arrival to the first byte of the answer. */
  ttfbMs: z.number().nullable(),
  /** From arrival to the end; null while it runs. */
  durationMs: z.number().nullable(),
  /** Bytes of the request's body. */
  bytesIn: z.number(),
  /** Bytes of the answer's body. */
  bytesOut: z.number(),
  /** Tokens of the answer, where the server told. */
  tokens: z.number().nullable(),
  /** Who ended it early; null when nobody did. */
  cancelledBy: z.enum(['client', 'provider', 'node']).nullable(),
})
export type TrafficEntry = z.output<typeof TrafficEntrySchema>

export const trafficCalls = {
  'traffic.recent': defineCall('The last requests, oldest first.', {
    input: z.strictObject({ limit: z.number().int().min(1).max(1000).default(100) }),
    output: z.array(TrafficEntrySchema),
  }),
}

export const trafficFeeds = {
  traffic: defineListFeed('Requests as they happen, oldest first.', TrafficEntrySchema, (entry) => entry.id),
}
