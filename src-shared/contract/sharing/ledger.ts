import { z } from 'zod'
import { defineCall, defineStateFeed, NoInputSchema } from '../define.js'

/** What was given to one peer with one model on one day. */
const LedgerRowSchema = z.object({
  /** `2030-01-31` on this machine's calendar. */
  day: z.string(),
  model: z.string(),
  /** A peer id; null for the days that are only kept per model. */
  peer: z.string().nullable(),
  /** Answered ones. */
  requests: z.number().int(),
  failed: z.number().int(),
  /** Of the requests, where servers told. */
  tokensIn: z.number(),
  /** Of the answers. */
  tokensOut: z.number(),
  /** How many of `tokensOut` were counted here, because the server did not tell. */
  tokensEstimated: z.number(),
})
/** One row of the ledger: requests and tokens served to one peer with one model on one day. */
export type LedgerRow = z.output<typeof LedgerRowSchema>

/** What was given in a span of time. */
const LedgerTotalsSchema = z.object({
  requests: z.number().int(),
  failed: z.number().int(),
  tokensIn: z.number(),
  tokensOut: z.number(),
  /** Different peers that were answered. */
  peers: z.number().int(),
})
/** Requests, tokens and peers served in a span of time. */
export type LedgerTotals = z.output<typeof LedgerTotalsSchema>

/** What this machine gave to others. */
const LedgerSummarySchema = z.object({
  today: LedgerTotalsSchema,
  ever: LedgerTotalsSchema,
  /** `2030-01-31`; null before the first request. */
  firstDay: z.string().nullable(),
})
/** The totals served today and since the first day. */
export type LedgerSummary = z.output<typeof LedgerSummarySchema>

/** Calls that read or export the ledger of what this machine served. */
export const ledgerCalls = {
  'ledger.summary': defineCall('What this machine gave to others, today and ever.', {
    input: NoInputSchema,
    output: LedgerSummarySchema,
  }),
  'ledger.rows': defineCall('The ledger of the last days, newest day first; no contents of any request.', {
    input: z.strictObject({ days: z.number().int().min(1).max(800).default(30) }),
    output: z.array(LedgerRowSchema),
  }),
  'ledger.export': defineCall('The whole ledger as a text to save.', {
    input: z.strictObject({ format: z.enum(['json', 'csv']) }),
    output: z.object({ fileName: z.string(), mediaType: z.string(), text: z.string() }),
  }),
}

/** The feed of the ledger’s summary. */
export const ledgerFeeds = {
  ledger: defineStateFeed('The same as ledger.summary, as it changes.', LedgerSummarySchema),
}
