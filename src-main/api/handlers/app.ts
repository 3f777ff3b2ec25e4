import type { AppPreferenceName, AppPreferences } from '#shared/contract/node/app.js'
import type { Capability } from '#shared/contract/node/node.js'
import type { Handlers } from '../dispatch.js'

/** The desktop app around a node, as far as its pages may ask. */
export interface AppPreferencesSource {
  read(): AppPreferences
  /** Throws what the system says when it refuses, for example to start the app at login. */
  set(name: AppPreferenceName, value: boolean): void
}

const CAPABILITY_OF: Readonly<Record<AppPreferenceName, Capability>> = {
  closeToTray: 'close-to-tray',
  notifications: 'notifications',
  autostart: 'autostart',
  updates: 'self-update',
}

/** `app.preferences` and `app.setPreference`: for a place that has the capability, so never for a browser. */
export function createAppHandlers(needs: {
  app?: AppPreferencesSource
}): Pick<Handlers, 'app.preferences' | 'app.setPreference'> {
  const { app } = needs
  return {
    'app.preferences'(_input, { capabilities }) {
      const some = Object.values(CAPABILITY_OF).some((capability) => capabilities.includes(capability))
      return app !== undefined && some ? app.read() : null
    },
    'app.setPreference'({ name, value }, { capabilities }) {
      if (app === undefined || !capabilities.includes(CAPABILITY_OF[name])) return null
      app.set(name, value)
      return app.read()
    },
  }
}
