import { z } from 'zod'
import { defineCall, defineStateFeed, NoInputSchema } from '../define.js'

/** How far a newer version of the desktop app is. Nothing is looked for before the person asked for it. */
export const UpdateStateSchema = z.discriminatedUnion('kind', [
  /** This program can't update itself; the sentence says why and what to do instead. */
  z.object({ kind: z.literal('unsupported'), sentence: z.string() }),
  /** Nothing newer is known; `checkedAtMs` (Unix milliseconds) is null before the first look. */
  z.object({ kind: z.literal('none'), checkedAtMs: z.number().nullable() }),
  z.object({ kind: z.literal('checking') }),
  z.object({ kind: z.literal('available'), version: z.string() }),
  /** `percent` is a whole number from 0 to 100. */
  z.object({ kind: z.literal('downloading'), version: z.string(), percent: z.number().int() }),
  /** It is on disk and verified: a restart installs it. */
  z.object({ kind: z.literal('ready'), version: z.string() }),
  z.object({ kind: z.literal('failed'), sentence: z.string() }),
])
/** How far an update of the desktop app is. */
export type UpdateState = z.output<typeof UpdateStateSchema>

const ONLY = 'Only where `node.capabilities` has `self-update`; elsewhere nothing is done.'
/** Calls answer with the state after them. */
const definition = { input: NoInputSchema, output: UpdateStateSchema }

/** Calls that check for, download and install an update; outside the desktop app they only report its state. */
export const updateCalls = {
  'app.update': defineCall('How far a newer version of the desktop app is.', definition),
  'app.checkForUpdates': defineCall(`Looks for a newer version once. ${ONLY}`, definition),
  'app.downloadUpdate': defineCall(`Downloads the version that was found. ${ONLY}`, definition),
  'app.installUpdate': defineCall(`Ends the app and starts the version that is ready. ${ONLY}`, definition),
}

/** The feed of the update’s state. */
export const updateFeeds = {
  update: defineStateFeed('The same as app.update, as it changes.', UpdateStateSchema),
}
