import type { SettingRow, ValueOfRow } from './setting-row.js'
import { DEMO_SETTINGS } from './settings/demo.js'
import { ENGINE_SETTINGS } from './settings/engine.js'
import { GATEWAY_SETTINGS } from './settings/gateway.js'
import { LIMIT_SETTINGS } from './settings/limits.js'
import { NETWORK_SETTINGS } from './settings/network.js'
import { NODE_SETTINGS } from './settings/node.js'
import { PAUSE_SETTINGS } from './settings/pause.js'
import { REPORT_SETTINGS } from './settings/reports.js'
import { SHARING_SETTINGS } from './settings/sharing.js'
import { USE_SETTINGS } from './settings/use.js'

/**
 * The one table of settings: flags, environment names, file keys, `--help`, docs/settings.md and the settings page
 * are all read from it. Defaults stand here and nowhere else.
 */
export const SETTINGS = {
  ...NODE_SETTINGS,
  ...GATEWAY_SETTINGS,
  ...USE_SETTINGS,
  ...NETWORK_SETTINGS,
  ...SHARING_SETTINGS,
  ...ENGINE_SETTINGS,
  ...LIMIT_SETTINGS,
  ...PAUSE_SETTINGS,
  ...REPORT_SETTINGS,
  ...DEMO_SETTINGS,
} as const satisfies Record<string, SettingRow>

/** The name of a setting: its flag without the dashes, its file key. */
export type SettingName = keyof typeof SETTINGS

/** Every setting with the value in effect, by its exact name. Durations in milliseconds, sizes in bytes. */
export type Settings = { [Name in SettingName]: ValueOfRow<(typeof SETTINGS)[Name]> }

/** The three places a value can be given in, from the weakest to the strongest. */
type OriginKind = 'default' | 'file' | 'environment' | 'flag'

/** Where the value in effect came from. */
export interface Origin {
  kind: OriginKind
  /** `default`, `file /x/config.yaml: port`, `environment OCF_PORT`, `flag --port`. */
  label: string
}

/** The origin of every setting. */
export type Origins = Record<SettingName, Origin>

/** All names, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/** The row of a setting, without what only its own literal type knows. */
export function settingRow(name: SettingName): SettingRow {
  return SETTINGS[name]
}

/** True for a name of the table. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name)
}

/** `gateway.max-body` → `--gateway.max-body`. */
export function flagName(name: SettingName): string {
  return `--${name}`
}

/** `gateway.max-body` → `OCF_GATEWAY_MAX_BODY`. */
export function envName(name: SettingName): string {
  return `OCF_${name.toUpperCase().replaceAll(/[.-]/g, '_')}`
}
