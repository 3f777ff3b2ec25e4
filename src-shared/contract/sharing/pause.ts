import { z } from 'zod'
import { defineCall, defineStateFeed, NoInputSchema } from '../define.js'

/** Why sharing can be paused. */
const PauseCauseSchema = z.enum(['manual', 'user-active', 'on-battery', 'gpu-busy', 'program', 'schedule'])
/** What pauses sharing: the person, or one of the rules. */
export type PauseCause = z.output<typeof PauseCauseSchema>

/** One cause that holds now. */
const PauseReasonSchema = z.object({
  cause: PauseCauseSchema,
  /** For a person: `you are using this computer`. */
  sentence: z.string(),
  /** Unix milliseconds at which it ends by itself; null where nobody knows. */
  untilMs: z.number().nullable(),
})
/** One reason of a pause with its end in Unix milliseconds. */
export type PauseReason = z.output<typeof PauseReasonSchema>

/** One rule and what it sees. */
const PauseRuleViewSchema = z.object({
  cause: PauseCauseSchema.exclude(['manual']),
  /** The setting that switches it on. */
  setting: z.string(),
  enabled: z.boolean(),
  /** It holds now; null when that is not known on this machine. */
  holds: z.boolean().nullable(),
  /** What is seen, or why nothing is: `not known on this machine: …`. */
  sentence: z.string(),
  /** False where this machine can’t tell, so that switching the rule on would do nothing. */
  canTell: z.boolean(),
})
/** A rule of the automatic pause with its present state. */
export type PauseRuleView = z.output<typeof PauseRuleViewSchema>

/** Whether others may use this machine now, and if not, why. */
export const PauseStateSchema = z.object({
  paused: z.boolean(),
  /** The one to show first is first; empty while not paused. */
  reasons: z.array(PauseReasonSchema),
  /** Requests of other peers that are still running. */
  running: z.number().int(),
  /** Unix milliseconds at which those are cut; null when they may end. */
  cutAtMs: z.number().nullable(),
  rules: z.array(PauseRuleViewSchema),
})
/** Whether sharing is paused, why, and what still runs; times in Unix milliseconds. */
export type PauseState = z.output<typeof PauseStateSchema>

/** Calls that pause and resume sharing; durations in milliseconds. */
export const pauseCalls = {
  'pause.get': defineCall('Whether sharing is paused, why, and what each rule sees.', {
    input: NoInputSchema,
    output: PauseStateSchema,
  }),
  'pause.set': defineCall(
    'Pauses sharing, for a time or until it is resumed. What runs may end, unless it is to be cut.',
    {
      input: z.strictObject({
        /** Milliseconds; null is until resumed. */
        forMs: z.number().int().min(1000).max(31_536_000_000).nullable(),
        /** Cuts what still runs after so many milliseconds; the setting pause.cut-after counts when absent. */
        cutAfterMs: z.number().int().min(0).max(86_400_000).optional(),
      }),
      output: PauseStateSchema,
    },
  ),
  'pause.resume': defineCall('Ends a pause made by hand; rules that hold still pause.', {
    input: NoInputSchema,
    output: PauseStateSchema,
  }),
}

/** The feed of the pause. */
export const pauseFeeds = {
  pause: defineStateFeed('The same as pause.get, as it changes.', PauseStateSchema),
}
