import { settingRow, type SettingName, type Settings } from './settings.js'
import { describeDuration, describeSize } from './value-kinds.js'

/** What stands for the value in `--help`: `<port>`, `<duration>`, `a|b`. Undefined for booleans. */
export function valuePlaceholder(name: SettingName): string | undefined {
  const row = settingRow(name)
  if (row.kind === 'boolean') return undefined
  if (row.kind === 'choice') return row.choices.join('|')
  return row.placeholder ?? (row.kind === 'optional-port' ? 'port' : row.kind)
}

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

/** The default as a person would write it, or in words; the empty string where nothing is set. */
export function describeDefault(name: SettingName): string {
  const row = settingRow(name)
  if (row.defaultNote !== undefined) return row.defaultNote
  const value = Array.isArray(row.default) ? [...(row.default as string[])] : row.default
  return describeValue(name, value as Parameters<typeof describeValue>[1])
}
