import type { AppPreferencesSource } from '../api/handlers/app.js'
import type { Autostart } from './autostart.js'
import type { PreferencesFile } from './preferences.js'

/** The preferences as the app's pages see and change them. */
export function createAppPreferences(needs: {
  preferences: PreferencesFile
  /** Undefined where the app can't be started at login. */
  autostart: Autostart | undefined
  /** Called after the person has changed whether newer versions are looked for. */
  updatesWanted(): void
}): AppPreferencesSource {
  const { autostart, preferences } = needs
  return {
    read: () => ({
      closeToTray: preferences.now.closeToTray,
      notifications: preferences.now.notifications,
      // The person may have switched it off in the system's settings: that counts.
      autostart: autostart?.isOn() ?? false,
      updates: preferences.now.updates,
    }),
    set(name, value) {
      const before = preferences.now[name]
      // Who has made the choice needs not be asked any more.
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
