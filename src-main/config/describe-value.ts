import { describeDuration, describeSize } from './quantities.js'
import { settingRow, type SettingName, type Settings } from './settings.js'

/** A value as a person would write it: `5m`, `64MiB`, lists joined with commas, nothing for what is not set. */
export function describeValue(name: SettingName, value: Settings[SettingName]): string {
  const written = writtenValue(name, value)
  return Array.isArray(written) ? written.join(', ') : written === undefined ? '' : String(written)
}

/** A value as it stands in a settings file; undefined for what is not set. */
export function writtenValue(
  name: SettingName,
  value: Settings[SettingName],
): string | number | boolean | string[] | undefined {
  if (typeof value !== 'number') return value
  const { kind } = settingRow(name)
  return kind === 'duration' ? describeDuration(value) : kind === 'size' ? describeSize(value) : value
}
