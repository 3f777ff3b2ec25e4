import { z } from 'zod'
import { mapLimits, type LimitName, type LimitRow, type Limits } from '../../limits.js'
import { defineCall, defineStateFeed, NoInputSchema } from '../define.js'

type LimitSchemas = { [Name in LimitName]: z.ZodType<Limits[Name]> }

const anyValue = ({ kind }: LimitRow): z.ZodType => (kind === 'list' ? z.array(z.string()) : z.number())

const valueInRange = (row: LimitRow): z.ZodType =>
  row.kind === 'list'
    ? z.array(z.string().min(1).max(128)).max(row.maxItems)
    : z.number().int().min(row.min).max(row.max)

/** What others may use of this machine, in base units; the rows of `LIMITS` say what each one means. */
export const LimitsSchema = z.object(mapLimits(anyValue) as LimitSchemas)

/** One peer that uses this machine now. */
const ConsumerSchema = z.object({
  peerId: z.string(),
  running: z.number().int(),
  waiting: z.number().int(),
  /** Of prompts and answers, by the ledger. */
  tokensToday: z.number(),
})

/** How the limits are used at this moment. */
const UsageSchema = z.object({
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
    input: z.strictObject(mapLimits(valueInRange) as LimitSchemas).partial(),
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
