import type { SettingView } from '#shared/contract/settings.js'
import type { Handlers } from '../dispatch.js'

/** The settings in force and the way to change the settings file. */
export interface SettingsSource {
  list(): SettingView[]
  /**
   * Writes one setting to the settings file, or takes it out when `value` is null. Throws `not_found` for a name that
   * is no setting and `invalid_settings` for a value it can't have.
   */
  save(name: string, value: string | null): Promise<{ restartNeeded: boolean }>
}

/** `settings.list` and `settings.set`. */
export function createSettingsHandlers(needs: {
  settings: SettingsSource
}): Pick<Handlers, 'settings.list' | 'settings.set'> {
  return {
    'settings.list': () => needs.settings.list(),
    'settings.set': ({ name, value }) => needs.settings.save(name, value),
  }
}
