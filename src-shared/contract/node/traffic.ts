import { z } from 'zod'
import { defineCall, defineListFeed } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'
import { PathKindSchema } from '../network/peers.js'

/** One try of a request at one provider: what its waterfall is drawn from. */
const TrafficLegSchema = z.object({
  /** The provider's peer id; null for a server of this machine. */
  peer: z.string().nullable(),
  outcome: z.enum(['answered', 'refused', 'failed', 'broke-off', 'client-gone']),
  /** Why it did not answer, in words without any content; null when it did. */
  reason: z.string().nullable(),
  /** From the request's arrival to the beginning of the try. */
  startMs: z.number(),
  /** From the beginning of the try to its end. */
  durationMs: z.number(),
  /** From the beginning of the try until it had a stream; null when it never had one. */
  connectMs: z.number().nullable(),
  /** From the beginning of the try to the head of its answer; null when none came. */
  ttfbMs: z.number().nullable(),
})
/** One attempt at a provider; all times in milliseconds. */
export type TrafficLeg = z.output<typeof TrafficLegSchema>

/** A provider that a request could have gone to, and what it was expected to wait for there; in milliseconds. */
const TrafficCandidateSchema = z.object({
  peer: z.string(),
  /** To it and back. */
  rttMs: z.number(),
  /** What it takes for any request. */
  fixedMs: z.number(),
  /** To read the part of the prompt that it is not known to have read. */
  readMs: z.number(),
  /** Until one of its slots is free. */
  queueMs: z.number(),
  /** Beyond all that, because a request of this node hangs there. */
  hangMs: z.number(),
  /** Tokens of that part of the prompt, about. */
  unreadTokens: z.number(),
})
/** A provider that was considered for a request; times in milliseconds. */
export type TrafficCandidate = z.output<typeof TrafficCandidateSchema>

/** Legs kept of one request: as many as it may be tried on. */
export const MAX_LEGS = 4

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
  /** Name of the API key that asked; null where none did. */
  key: z.string().nullable(),
  /** Null while no connection was chosen, and for `local`. */
  path: PathKindSchema.nullable(),
  /** Providers tried, the one that answered included. */
  tries: z.number().int(),
  /** Each try in order. */
  legs: z.array(TrafficLegSchema).max(MAX_LEGS),
  /** Providers the node table had for it; null where none were looked up. */
  candidates: z.number().int().nullable(),
  /** The best of them, in the order they were to be tried, with what was expected of each. */
  considered: z.array(TrafficCandidateSchema).max(MAX_LEGS),
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
  /** Tokens of the answer; null where they can't be told. */
  tokens: z.number().nullable(),
  /** Whether the server told `tokens` (`usage`) or the pieces of the answer were counted (`chunks`). */
  tokensFrom: z.enum(['usage', 'chunks']).nullable(),
  /** Tokens of the request, where the server told. */
  tokensIn: z.number().nullable(),
  /** Who ended it early; null when nobody did. */
  cancelledBy: z.enum(['client', 'provider', 'node']).nullable(),
})
/** One request through this node; times in milliseconds, sizes in bytes. */
export type TrafficEntry = z.output<typeof TrafficEntrySchema>

/** A request of an app of this computer that failed before any provider was asked: nobody offered what it wanted. */
export function isUnanswered(
  entry: Pick<TrafficEntry, 'direction' | 'tries' | 'durationMs' | 'cancelledBy' | 'error' | 'status'>,
): boolean {
  const { direction, tries, durationMs, cancelledBy, error, status } = entry
  if (direction !== 'local' || tries > 0 || durationMs === null || cancelledBy !== null) return false
  return error !== null || (status !== null && status >= 400)
}

/** How far a history looks back. */
const HistoryRangeSchema = z.enum(['5m', '1h', '24h', '30d'])
/** The length of a history, from five minutes to thirty days. */
export type HistoryRange = z.output<typeof HistoryRangeSchema>

/** What went one way in a span of time. */
export const DirectionTotalsSchema = z.object({
  ok: z.number().int(),
  failed: z.number().int(),
  cancelled: z.number().int(),
  /** Tokens of the requests, where servers told. */
  tokensIn: z.number(),
  /** Tokens of the answers. */
  tokensOut: z.number(),
  /** Bytes of the requests' bodies. */
  bytesIn: z.number(),
  /** Bytes of the answers' bodies. */
  bytesOut: z.number(),
})
/** Requests, tokens and bytes of one direction. */
export type DirectionTotals = z.output<typeof DirectionTotalsSchema>

/** Milliseconds below which that share of the requests stayed, within 2 %; null where nothing was measured. */
const PercentilesSchema = z.object({ p50: z.number(), p90: z.number(), p95: z.number(), p99: z.number() }).nullable()
/** Percentiles in milliseconds; null where nothing was measured. */
export type Percentiles = z.output<typeof PercentilesSchema>

/** The same for each direction: how long peers take, and how long this node takes for them, are two questions. */
const PercentilesByDirectionSchema = z.object({
  out: PercentilesSchema,
  in: PercentilesSchema,
  local: PercentilesSchema,
})

/** The requests that ended in one step of a history. */
const HistoryPointSchema = z.object({
  /** Unix milliseconds at which the step begins. */
  atMs: z.number(),
  out: DirectionTotalsSchema,
  in: DirectionTotalsSchema,
  local: DirectionTotalsSchema,
  ttfbMs: PercentilesSchema,
  ttfbOfMs: PercentilesByDirectionSchema,
  durationMs: PercentilesSchema,
})
/** One step of a history with its totals and percentiles. */
export type HistoryPoint = z.output<typeof HistoryPointSchema>

/** Requests that ended within a range: oldest step first, steps without requests included. */
export const TrafficHistorySchema = z.object({
  range: HistoryRangeSchema,
  /** Milliseconds of one step. */
  stepMs: z.number().int(),
  points: z.array(HistoryPointSchema),
  /** Over the whole range. */
  ttfbMs: PercentilesSchema,
  ttfbOfMs: PercentilesByDirectionSchema,
  durationMs: PercentilesSchema,
  /** Failed requests by code of the error vocabulary (or `http_<status>`), most frequent first. */
  errors: z.array(z.object({ code: z.string(), count: z.number().int() })),
})
/** A history of finished requests in equal steps. */
export type TrafficHistoryView = z.output<typeof TrafficHistorySchema>

/** Calls that read recent requests and their history. */
export const trafficCalls = {
  'traffic.recent': defineCall('The last requests, oldest first.', {
    input: z.strictObject({ limit: z.number().int().min(1).max(10_000).default(100) }),
    output: z.array(TrafficEntrySchema),
  }),
  'traffic.history': defineCall('Requests of the last minutes, hours or days in steps, with percentiles and errors.', {
    input: z.strictObject({ range: HistoryRangeSchema.default('1h') }),
    output: TrafficHistorySchema,
  }),
}

/** The feed of recent requests, keyed by request id. */
export const trafficFeeds = {
  traffic: defineListFeed('Requests as they happen, oldest first.', TrafficEntrySchema, LIST_FEED_KEYS.traffic),
}
