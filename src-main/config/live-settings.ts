import { Listeners } from '../base/listeners.js'
import type { Logger } from '../logging/index.js'
import { createSettingsSource, type SettingsSource } from './settings-source.js'
import type { Origins, SettingName, Settings } from './settings.js'

/** Settings of a running node. */
export interface LiveSettings {
  /** What counts now. Of rows without `restart` the value changes while the node runs: read it again each time. */
  readonly current: Readonly<Settings>
  /** Behind the settings page. */
  readonly source: SettingsSource
  /** Calls `listener` after each live change; returns the way to stop. */
  subscribe(listener: (name: SettingName) => void): () => void
}

/** Applies live changes: the log's level at once, all others by being read anew. */
export function createLiveSettings(needs: {
  settings: Settings
  origins: Origins
  logger: Pick<Logger, 'setLevel'>
}): LiveSettings {
  const current: Settings = { ...needs.settings }
  const listeners = new Listeners<[SettingName]>()
  const source = createSettingsSource({
    settings: needs.settings,
    origins: needs.origins,
    onLiveChange(changes) {
      // All of them before anyone looks: limits that belong together must not be seen one by one.
      Object.assign(current, changes)
      if (changes['log-level'] !== undefined) needs.logger.setLevel(changes['log-level'])
      for (const name of Object.keys(changes) as SettingName[]) listeners.notify(name)
    },
  })
  return { current, source, subscribe: (listener) => listeners.add(listener) }
}
