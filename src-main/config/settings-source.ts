import type { SettingView } from '#shared/contract/settings.js'
import { AppError } from '#shared/errors.js'
import { conflicts } from './cross-check.js'
import { describeValue } from './describe-value.js'
import type { Origin, Origins } from './origin.js'
import { parseSetting } from './parse-setting.js'
import { didYouMean, nearNames } from './near-names.js'
import { SETTING_GROUPS, type SettingRow } from './setting-row.js'
import { SETTING_NAMES, isSettingName, settingRow, type SettingName, type Settings } from './settings.js'
import { describeDefault } from './settings-table.js'
import { valueKind } from './value-kinds.js'
import { writeSetting } from './write-setting.js'

/** What stands for a secret that is set. */
export const MASK = '[hidden]'

/** The settings in force, and the way to change the settings file for the next start. */
export interface SettingsSource {
  list(): SettingView[]
  /**
   * Writes one setting to the settings file, or takes it out when `value` is null. Throws `not_found` for a name that
   * is no setting and `invalid_settings` for a value it can't have, alone or beside the others.
   */
  save(name: string, value: string | null): Promise<{ restartNeeded: boolean }>
}

/** Over what {@link loadSettings} gave; `settings.config` is the file that is written. */
export function createSettingsSource(needs: {
  settings: Settings
  origins: Origins
  /** Called after a setting that needs no restart was saved. */
  onLiveChange?: (name: SettingName, value: Settings[SettingName]) => void
}): SettingsSource {
  const { settings } = needs
  /** What counts now: live changes are in it. */
  let inForce: Settings = settings
  let origins: Origins = needs.origins
  /** What was saved since the start: in force after the next one. */
  let saved: Settings = settings

  function save(given: string, raw: string | null): { restartNeeded: boolean } {
    const { name, value } = readChange(given, raw)
    const row = settingRow(name)
    const next = { ...saved, [name]: value ?? row.default }
    const [conflict] = conflicts(next, origins)
    if (conflict !== undefined) throw new AppError('invalid_settings', conflict.sentence, { param: name })
    writeSetting(settings.config, name, value)
    saved = next
    const overridden = origins[name].kind === 'environment' || origins[name].kind === 'flag'
    if (row.restart || overridden || needs.onLiveChange === undefined) return { restartNeeded: true }
    inForce = { ...inForce, [name]: next[name] }
    const origin: Origin =
      value === undefined
        ? { kind: 'default', label: 'default' }
        : { kind: 'file', label: `file ${settings.config}: ${name}` }
    origins = { ...origins, [name]: origin }
    needs.onLiveChange(name, next[name])
    return { restartNeeded: false }
  }

  return {
    list: () => SETTING_NAMES.map((name) => viewOf(name, inForce, origins, saved)),
    // What is thrown becomes a rejection.
    save: (name, value) => new Promise((resolve) => resolve(save(name, value))),
  }
}

/** The setting and the value meant, undefined to take it out. Throws what {@link SettingsSource.save} throws. */
function readChange(name: string, raw: string | null): { name: SettingName; value: Settings[SettingName] } {
  if (!isSettingName(name)) {
    throw new AppError('not_found', `There is no setting ${name}.${didYouMean(nearNames(name, SETTING_NAMES))}`)
  }
  if (settingRow(name).inFile === false) {
    throw new AppError('invalid_settings', `${name} can't stand in the settings file.`, { param: name })
  }
  if (raw === null) return { name, value: undefined }
  const read = parseSetting(name, raw)
  if (!read.ok) throw new AppError('invalid_settings', `${name}: ${read.sentence}`, { param: name })
  // parseSetting gives what the row of `name` holds.
  return { name, value: read.value as Settings[SettingName] }
}

/** One setting for a person to read; secrets are masked. `saved` is what will be in force after the next start. */
export function viewOf(
  name: SettingName,
  settings: Settings,
  origins: Origins,
  saved: Settings = settings,
): SettingView {
  const row = settingRow(name)
  const value = shownValue(name, settings)
  const next = shownValue(name, saved)
  const { kind, label } = origins[name]
  // What a flag or the environment gave will most likely be given again.
  const overridden = kind === 'flag' || kind === 'environment'
  return {
    name,
    group: SETTING_GROUPS[row.group],
    value,
    origin: kind,
    originLabel: label,
    help: row.help,
    cost: row.cost,
    restart: row.restart,
    kind: editedAs(row),
    choices: row.kind === 'choice' ? [...row.choices] : [],
    expected: valueKind(row).expected,
    default: describeDefault(name),
    next: next === value || overridden ? null : next,
    editable: row.inFile !== false,
    secret: row.secret === true,
  }
}

function editedAs({ kind }: SettingRow): SettingView['kind'] {
  if (kind === 'boolean' || kind === 'choice' || kind === 'list') return kind
  return kind === 'port' || kind === 'optional-port' || kind === 'count' ? 'number' : 'text'
}

function shownValue(name: SettingName, settings: Settings): string {
  const value = describeValue(name, settings[name])
  return settingRow(name).secret === true && value !== '' ? MASK : value
}
