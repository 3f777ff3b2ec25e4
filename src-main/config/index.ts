export { createLiveSettings, type LiveSettings } from './live-settings.js'
export { loadSettings, type LoadedSettings } from './load-settings.js'
export { didYouMean, nearNames } from './near-names.js'
export { explainListenError, findPortHolder, portInUseError } from './port-holder.js'
export { problemLine, quote, type SettingProblem } from './problem.js'
export { SETTING_GROUPS } from './setting-row.js'
export { KNOWN_NETWORKS, knownNetwork, NO_NETWORK } from './settings/known-networks.js'
export type { Folders } from './settings-file.js'
export { MASK, viewOf, type SettingsSource } from './settings-source.js'
export { describeDefault, describeValue, valuePlaceholder } from './settings-table.js'
export {
  envName,
  flagName,
  SETTING_NAMES,
  settingRow,
  SETTINGS,
  type Origins,
  type SettingName,
  type Settings,
} from './settings.js'
export { durationInMs } from './value-kinds.js'
