import type { SettingsSource } from '../../config/index.js'
import type { Handlers } from '../dispatch.js'

/** `settings.list` and `settings.set`. */
export function createSettingsHandlers(needs: {
  settings: Pick<SettingsSource, 'list' | 'save'>
}): Pick<Handlers, 'settings.list' | 'settings.set'> {
  return {
    'settings.list': () => needs.settings.list(),
    'settings.set': ({ name, value }) => needs.settings.save(name, value),
  }
}
