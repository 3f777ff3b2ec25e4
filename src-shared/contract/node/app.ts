import { z } from 'zod'
import { defineCall, NoInputSchema } from '../define.js'

/** What the desktop app may do besides showing a window. Each is offered where `node.capabilities` has its capability. */
const AppPreferencesSchema = z.object({
  /** Closing the window leaves the node running in the tray (capability `close-to-tray`). */
  closeToTray: z.boolean(),
  /** Short messages of the system, such as the first request that was served (capability `notifications`). */
  notifications: z.boolean(),
  /** The node starts without a window when the person logs in (capability `autostart`). */
  autostart: z.boolean(),
  /** Newer versions are looked for once a day and downloaded (capability `self-update`). */
  updates: z.boolean(),
})
/** The preferences of the desktop app, all on or off. */
export type AppPreferences = z.output<typeof AppPreferencesSchema>
/** The name of one preference. */
export type AppPreferenceName = keyof AppPreferences

/** Calls about the desktop app; answered with null outside its own window. */
export const appCalls = {
  'app.preferences': defineCall('How the desktop app behaves; only in its own window.', {
    input: NoInputSchema,
    /** Null where the caller's place has none. */
    output: AppPreferencesSchema.nullable(),
  }),
  'app.setPreference': defineCall('Changes one preference of the desktop app, at once; only in its own window.', {
    input: z.strictObject({ name: AppPreferencesSchema.keyof(), value: z.boolean() }),
    /** As it is now; null, and nothing is changed, where the caller's place has no such preference. */
    output: AppPreferencesSchema.nullable(),
  }),
}
