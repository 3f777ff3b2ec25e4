import type { SettingView } from '#shared/contract/node/settings.js'
import { AppError } from '#shared/errors.js'
import { conflicts } from './cross-check.js'
import { parseSetting } from './load-settings.js'
import { didYouMean, nearNames } from './near-names.js'
import { SETTING_GROUPS, type SettingRow } from './setting-row.js'
import { describeDefault, describeValue } from './settings-table.js'
import {
  SETTING_NAMES,
  isSettingName,
  settingRow,
  type Origin,
  type Origins,
  type SettingName,
  type Settings,
} from './settings.js'
import { valueKind } from './value-kinds.js'
import { writeSettings, type SettingChanges } from './write-settings.js'

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
  /** What the next start will have: what was saved since this one, under flags and the environment. */
  next(): { settings: Settings; origins: Origins }
  /** The same as {@link SettingsSource.save} for several settings at once, by name: all of them are saved, or none. */
  saveAll(values: Readonly<Record<string, string | null>>): Promise<{ restartNeeded: boolean }>
}

/** Over what {@link loadSettings} gave; `settings.config` is the file that is written. */
export function createSettingsSource(needs: {
  settings: Settings
  origins: Origins
  /** Called after settings that need no restart were saved, with all of them at once. */
  onLiveChange?: (changes: Partial<Settings>) => void
}): SettingsSource {
  const { settings } = needs
  /** What counts now: live changes are in it. */
  let inForce: Settings = settings
  let origins: Origins = needs.origins
  /** What was saved since the start: in force after the next one. */
  let saved: Settings = settings

  /** Stored first, then in force: what can't be stored changes nothing. */
  function saveAll(given: Readonly<Record<string, string | null>>): { restartNeeded: boolean } {
    const changes = Object.fromEntries(
      Object.entries(given).map(([name, raw]) => readChange(name, raw)),
    ) as SettingChanges
    const names = Object.keys(changes) as SettingName[]
    const next = { ...saved, ...withDefaults(changes) }
    const [conflict] = conflicts(next, origins)
    if (conflict !== undefined) throw new AppError('invalid_settings', conflict.sentence, { param: names[0] })
    writeSettings(settings.config, changes)
    saved = next
    const live = needs.onLiveChange === undefined ? [] : names.filter((name) => countsAtOnce(name, origins))
    const liveChanges = Object.fromEntries(live.map((name) => [name, next[name]]))
    inForce = { ...inForce, ...liveChanges }
    for (const name of live) origins = { ...origins, [name]: savedOrigin(name, changes[name]) }
    if (live.length > 0) needs.onLiveChange?.(liveChanges)
    return { restartNeeded: live.length < names.length }
  }

  function nextStart(): { settings: Settings; origins: Origins } {
    const changed = SETTING_NAMES.filter((name) => {
      const { kind } = origins[name]
      return settingRow(name).restart && saved[name] !== settings[name] && kind !== 'flag' && kind !== 'environment'
    })
    const entries = changed.map((name) => {
      const isDefault = describeValue(name, saved[name]) === describeDefault(name)
      return [name, savedOrigin(name, isDefault ? undefined : saved[name])] as const
    })
    const next = Object.fromEntries(changed.map((name) => [name, saved[name]]))
    return { settings: { ...inForce, ...next }, origins: { ...origins, ...Object.fromEntries(entries) } }
  }

  function savedOrigin(name: SettingName, value: Settings[SettingName]): Origin {
    if (value === undefined) return { kind: 'default', label: 'default' }
    return { kind: 'file', label: `file ${settings.config}: ${name}` }
  }

  return {
    list: () => SETTING_NAMES.map((name) => viewOf(name, inForce, origins, saved)),
    next: () => nextStart(),
    // What is thrown becomes a rejection.
    save: (name, value) => new Promise((resolve) => resolve(saveAll({ [name]: value }))),
    saveAll: (values) => new Promise((resolve) => resolve(saveAll(values))),
  }
}

/** The setting and the value meant, undefined to take it out. Throws what {@link SettingsSource.save} throws. */
function readChange(name: string, raw: string | null): [name: SettingName, value: unknown] {
  if (!isSettingName(name)) {
    throw new AppError('not_found', `There is no setting ${name}.${didYouMean(nearNames(name, SETTING_NAMES))}`)
  }
  if (settingRow(name).inFile === false) {
    throw new AppError('invalid_settings', `${name} can't stand in the settings file.`, { param: name })
  }
  if (raw === null) return [name, undefined]
  const read = parseSetting(name, raw)
  if (!read.ok) throw new AppError('invalid_settings', `${name}: ${read.sentence}`, { param: name })
  return [name, read.value]
}

/** What counts after these changes: the default of what is taken out of the file. */
function withDefaults(changes: SettingChanges): Partial<Settings> {
  const names = Object.keys(changes) as SettingName[]
  return Object.fromEntries(names.map((name) => [name, changes[name] ?? settingRow(name).default]))
}

/** A setting that is read again each time, and that neither a flag nor the environment holds. */
function countsAtOnce(name: SettingName, origins: Origins): boolean {
  const { kind } = origins[name]
  return !settingRow(name).restart && kind !== 'environment' && kind !== 'flag'
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
