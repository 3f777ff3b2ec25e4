import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { Log } from '../logging/index.js'

/** What the app keeps about itself in `app.json`; the node's own settings stand elsewhere. */
const PreferencesSchema = z.object({
  closeToTray: z.boolean().default(true),
  /** The person was asked what closing the window shall do; before that, closing asks. */
  closeToTrayTold: z.boolean().default(false),
  notifications: z.boolean().default(true),
  /** The person wants the app started at login. */
  autostart: z.boolean().default(false),
  /** The person wants newer versions looked for and downloaded. */
  updates: z.boolean().default(false),
  /** The person was told that keys lie in a file and not in a key store. */
  plainSecretsTold: z.boolean().default(false),
  /** The person was told that a first request of a peer was served. */
  firstServedTold: z.boolean().default(false),
})
export type Preferences = z.output<typeof PreferencesSchema>

/** The preferences file. */
export interface PreferencesFile {
  readonly now: Preferences
  /** Writes the file at once. Throws what the file system throws; `now` is then as before. */
  change(part: Partial<Preferences>): void
}

/** Reads `app.json`, all defaults where there is none. One that can't be read is put aside, not written over. */
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
      // In one step: a crash leaves the old file or the new one.
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
