import { z } from 'zod'
import { defineCall, NoInputSchema } from '../define.js'

const KeyTotalsSchema = z.object({
  requests: z.number().int(),
  /** Tokens of the requests, where servers told. */
  tokensIn: z.number(),
  /** Tokens of the answers. */
  tokensOut: z.number(),
})
/** What was asked with one key. */
export type KeyTotals = z.output<typeof KeyTotalsSchema>

const KeyUsageSchema = z.object({
  /** Since local midnight, or since the node started where that was later. */
  today: KeyTotalsSchema,
  sinceStart: KeyTotalsSchema,
})
/** What was asked with one key today and since the node started. */
export type KeyUsage = z.output<typeof KeyUsageSchema>

const KeySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** UTC, as `2026-01-31`. */
  createdDay: z.string(),
  /** Null for one that was never used. */
  lastUsedDay: z.string().nullable(),
  usage: KeyUsageSchema,
})
/** An API key of an app; the key itself is kept nowhere. */
export type KeyView = z.output<typeof KeySchema>

const KeyNameSchema = z
  .string()
  .trim()
  .regex(
    /^[\p{L}\p{N}](?:[\p{L}\p{N} ._-]{0,62}[\p{L}\p{N}])?$/u,
    'A name has up to 64 letters, digits, blanks, ".", "_" or "-".',
  )

/** Calls that list, make and revoke the API keys of apps. */
export const keysCalls = {
  'keys.list': defineCall('The API keys of this gateway, with what was asked with each.', {
    input: NoInputSchema,
    output: z.object({
      /** Whether the gateway asks for a key. */
      required: z.boolean(),
      keys: z.array(KeySchema),
    }),
  }),
  'keys.add': defineCall('Makes an API key; this answer is the only time that it is shown.', {
    input: z.strictObject({ name: KeyNameSchema }),
    output: z.object({ key: z.string(), entry: KeySchema }),
  }),
  'keys.revoke': defineCall('Refuses an API key, given by name or id, from now on.', {
    input: z.strictObject({ key: z.string().min(1).max(200) }),
    output: z.object({ revoked: KeySchema }),
  }),
  'keys.own': defineCall('The key with which the dashboard and the command line of this node use its gateway.', {
    input: NoInputSchema,
    /** Null where the gateway asks for none. */
    output: z.object({ key: z.string().nullable() }),
  }),
}
