import { z } from 'zod'
import { defineCall, defineStateFeed, NoInputSchema } from './define.js'

const peerIds = z.array(z.string().min(1).max(128)).max(256)

/** What others may use of this machine. Each stands in the settings under `limits.…`. */
export const LimitsSchema = z.object({
  /** Requests of peers at work at the same time. */
  concurrent: z.number().int(),
  /** Requests of peers that may wait. */
  queue: z.number().int(),
  /** Milliseconds one of them may wait. */
  queueTimeMs: z.number(),
  /** For each peer; 0 is without limit. */
  requestsPerMinute: z.number().int(),
  /** Of one request to a model server; 0 is without a limit of its own (JSON is held to gateway.max-body). */
  maxBodyBytes: z.number(),
  /** Tokens of one answer; 0 is without limit. */
  maxTokens: z.number().int(),
  /** Only these peers, unless empty. */
  allowedPeers: z.array(z.string()),
  blockedPeers: z.array(z.string()),
})
/** The limits on what peers may use; times in milliseconds, sizes in bytes, 0 is unlimited where its field says so. */
export type Limits = z.output<typeof LimitsSchema>

/** One peer that uses this machine now. */
export const ConsumerSchema = z.object({ peerId: z.string(), running: z.number().int(), waiting: z.number().int() })

/** How the limits are used at this moment. */
export const UsageSchema = z.object({
  /** Requests of peers at work and how many may be. */
  slots: z.object({ used: z.number().int(), total: z.number().int() }),
  /** Requests of peers that wait and how many may. */
  queue: z.object({ used: z.number().int(), total: z.number().int() }),
  /** The owner's own requests at work; each takes one of the slots while it runs. */
  ownRunning: z.number().int(),
  consumers: z.array(ConsumerSchema),
  /** Since the start, by code of the error vocabulary. */
  refused: z.array(z.object({ code: z.string(), count: z.number().int() })),
  limits: LimitsSchema,
})
/** How slots and queue are used at this moment. */
export type Usage = z.output<typeof UsageSchema>

/** Calls that read and change the limits, the lists of allowed and blocked peers included. */
export const limitsCalls = {
  'limits.get': defineCall('The owner’s limits and how they are used now.', {
    input: NoInputSchema,
    output: UsageSchema,
  }),
  'limits.set': defineCall('Changes some of the limits; they count at once and are kept in the settings file.', {
    input: z.strictObject({
      concurrent: z.number().int().min(0).max(1000).optional(),
      queue: z.number().int().min(0).max(1000).optional(),
      queueTimeMs: z.number().int().min(0).max(300_000).optional(),
      requestsPerMinute: z.number().int().min(0).max(100_000).optional(),
      maxBodyBytes: z.number().int().min(0).max(1_073_741_824).optional(),
      maxTokens: z.number().int().min(0).max(10_000_000).optional(),
      allowedPeers: peerIds.optional(),
      blockedPeers: peerIds.optional(),
    }),
    output: z.object({
      /** True when one of them was given by flag or environment, which counts until the next start. */
      restartNeeded: z.boolean(),
      usage: UsageSchema,
    }),
  }),
}

/** The feed of limits and their use. */
export const limitsFeeds = {
  limits: defineStateFeed('The same as limits.get, as it changes: live slots and who uses them.', UsageSchema),
}
