import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'

/** One place this node asks for its first peers, and how it did when it was last asked. */
const BootstrapSourceSchema = z.object({
  /** As written in the settings. */
  source: z.string(),
  /** The setting it comes from. */
  setting: z.string(),
  /** `bad`: can't be understood and is never asked. `waiting`: not asked yet; a node that has peers asks nobody. */
  state: z.enum(['bad', 'waiting', 'ok', 'failed']),
  /** Addresses it told. */
  addresses: z.number().int(),
  /** What went wrong; null when nothing did. */
  reason: z.string().nullable(),
  /** Unix milliseconds; null while it was not asked. */
  askedAtMs: z.number().nullable(),
})
/** A bootstrap source with its last result; times in Unix milliseconds. */
export type BootstrapSourceView = z.output<typeof BootstrapSourceSchema>

/** Calls about bootstrap sources. */
export const bootstrapCalls = {
  'bootstrap.list': defineCall('The bootstrap sources, each with its last result.', {
    input: NoInputSchema,
    output: z.array(BootstrapSourceSchema),
  }),
}

/** The feed of bootstrap sources, keyed by setting and source. */
export const bootstrapFeeds = {
  bootstrap: defineListFeed(
    'The same as bootstrap.list, as it changes.',
    BootstrapSourceSchema,
    LIST_FEED_KEYS.bootstrap,
  ),
}
