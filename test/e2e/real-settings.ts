import { createSettingsSource } from '../../src-main/config/settings-source.js'
import type { FakeNode } from '../contract/fake-node.js'
import { loaded } from '../unit/config/given.js'

/** Gives a fake node every setting that a real one has; what is saved counts at once and is kept in memory. */
export function furnishSettings(node: FakeNode): Map<string, string | null> {
  const source = createSettingsSource(loaded())
  const saved = new Map<string, string | null>()
  node.needs.settings.list = () =>
    source.list().map((setting) => {
      const value = saved.get(setting.name)
      return value == null ? setting : { ...setting, value, origin: 'file' as const, originLabel: 'file config.yaml' }
    })
  node.needs.settings.save = (name, value) => {
    saved.set(name, value)
    return Promise.resolve({ restartNeeded: false })
  }
  return saved
}
