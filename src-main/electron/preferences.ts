import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { AppPreferencesSource } from '../api/index.js'
import type { Log } from '../logging/index.js'
import type { Autostart } from './autostart.js'

/** The app's own preferences in `app.json`; the node's settings are elsewhere. */
const PreferencesSchema = z.object({
  closeToTray: z.boolean().default(true),
  /** The person has chosen what closing the window does; until then, closing asks. */
  closeToTrayTold: z.boolean().default(false),
  notifications: z.boolean().default(true),
  /** The person wants the app started at login. */
  autostart: z.boolean().default(false),
  /** The person wants daily checks for newer versions, and their download. */
  updates: z.boolean().default(false),
  /** The notice that keys are in a file, not in a key store, was shown. */
  plainSecretsTold: z.boolean().default(false),
  /** The notice of the first request served to a peer was shown. */
  firstServedTold: z.boolean().default(false),
  /** Where the window was when it was last closed, in points; one that can't be read counts as none. */
  window: z
    .object({ x: z.int(), y: z.int(), width: z.int(), height: z.int(), isMaximized: z.boolean() })
    .optional()
    .catch(undefined),
})
export type Preferences = z.output<typeof PreferencesSchema>

/** The preferences file. */
export interface PreferencesFile {
  readonly now: Preferences
  /** Writes the file immediately. Throws the file system's errors and leaves `now` unchanged. */
  change(part: Partial<Preferences>): void
}

/** Reads `app.json`, all defaults where there is none. A damaged file is set aside, not overwritten. */
export function openPreferences(needs: { log: Log }, options: { file: string }): PreferencesFile {
  const { file } = options
  let now = load(file, needs.log)
  return {
    get now() {
      return now
    },
    change(part) {
      const next = { ...now, ...part }
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.new`, `${JSON.stringify(next, undefined, 2)}\n`)
      // Atomic: a crash leaves the old file or the new one.
      renameSync(`${file}.new`, file)
      now = next
    },
  }
}

function load(file: string, log: Log): Preferences {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.warn('the preferences of the app can’t be read', { file, error })
    }
    return PreferencesSchema.parse({})
  }
  try {
    return PreferencesSchema.parse(JSON.parse(text))
  } catch (error) {
    log.warn('the preferences of the app are damaged and were put aside', { file: `${file}.damaged`, error })
    renameSync(file, `${file}.damaged`)
    return PreferencesSchema.parse({})
  }
}

/** The preferences as the dashboard reads and changes them. */
export function createAppPreferences(needs: {
  preferences: PreferencesFile
  /** Undefined where the app can't be started at login. */
  autostart: Autostart | undefined
  /** Called after the person switched daily checks for newer versions on or off. */
  updatesWanted(): void
}): AppPreferencesSource {
  const { autostart, preferences } = needs
  return {
    read: () => ({
      closeToTray: preferences.now.closeToTray,
      notifications: preferences.now.notifications,
      // The system's settings win: the person may have switched it off there.
      autostart: autostart?.isOn() ?? false,
      updates: preferences.now.updates,
    }),
    set(name, value) {
      const before = preferences.now[name]
      // A person who has chosen here need not be asked when closing.
      preferences.change(name === 'closeToTray' ? { closeToTray: value, closeToTrayTold: true } : { [name]: value })
      try {
        if (name === 'autostart') autostart?.set(value)
      } catch (error) {
        preferences.change({ [name]: before })
        throw error
      }
      if (name === 'updates') needs.updatesWanted()
    },
  }
}
