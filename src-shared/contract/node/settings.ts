import { z } from 'zod'
import { defineCall, NoInputSchema } from '../define.js'

/** Where a setting's value came from, the strongest last. */
const OriginSchema = z.enum(['default', 'file', 'environment', 'flag'])

/** One setting as it is in force. */
const SettingViewSchema = z.object({
  name: z.string(),
  /** Heading it stands under. */
  group: z.string(),
  /** As a person would write it; lists are joined with commas. Empty when nothing is set. Secrets are masked. */
  value: z.string(),
  origin: OriginSchema,
  /** `default`, `file /x/config.yaml: port`, `environment OCF_PORT`, `flag --port`. */
  originLabel: z.string(),
  help: z.string(),
  /** What it costs or risks; empty when there is nothing to say. */
  cost: z.string(),
  /** True when a change waits for the next start. */
  restart: z.boolean(),
  /** How it is edited; everything else than a switch or a choice is typed in. */
  kind: z.enum(['boolean', 'choice', 'number', 'text', 'list']),
  /** What a `choice` may be; empty for the rest. */
  choices: z.array(z.string()),
  /** What a value has to be, in words: `a port from 0 to 65535`. */
  expected: z.string(),
  /** The default, written as `value` is. */
  default: z.string(),
  /** What it will be after the next start, where that differs from `value`; null where it does not. */
  next: z.string().nullable(),
  /** False for what can't stand in the settings file. */
  editable: z.boolean(),
  /** True for what is never shown again. */
  secret: z.boolean(),
})
/** A setting with its value, origin and how it is edited. */
export type SettingView = z.output<typeof SettingViewSchema>

/** Calls that read settings and write them to the settings file. */
export const settingsCalls = {
  'settings.list': defineCall('Every setting with its value and where that came from.', {
    input: NoInputSchema,
    output: z.array(SettingViewSchema),
  }),
  'settings.set': defineCall('Writes one setting to the settings file; null takes it out again.', {
    input: z.strictObject({ name: z.string().min(1).max(64), value: z.string().max(4096).nullable() }),
    output: z.object({ restartNeeded: z.boolean() }),
  }),
}
