import { z } from 'zod'
import { defineCall } from '../define.js'

/** What one real request of one token showed. */
const ModelTestSchema = z.object({
  ok: z.boolean(),
  /** HTTP status; null when nothing answered. */
  status: z.number().int().nullable(),
  /** The error's code and sentence; null when it worked. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** Peer id of who answered; null when nobody did. */
  answeredBy: z.string().nullable(),
  /** Providers that were tried. */
  tries: z.number().int().nullable(),
  /** Time of each leg in milliseconds, in order: `select`, `connect`, `ttfb` as the gateway tells them. */
  legs: z.array(z.object({ name: z.string(), ms: z.number() })),
  /** From the request to the first token; null when none came. */
  firstTokenMs: z.number().nullable(),
  /** From the request to the end of the answer. */
  totalMs: z.number(),
  /** What the model said: at most a few words. */
  text: z.string(),
})
/** The result of one test request to a model; all times in milliseconds. */
export type ModelTest = z.output<typeof ModelTestSchema>

/** The call that tests a model with one real request of one token. */
export const modelTestCalls = {
  'test.run': defineCall(
    'Sends one real request of one token to a model, through the whole path, and tells the time of each leg.',
    {
      input: z.strictObject({ model: z.string().min(1).max(512) }),
      output: ModelTestSchema,
    },
  ),
}
