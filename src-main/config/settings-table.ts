import { describeValue } from './describe-value.js'
import { settingRow, type SettingName } from './settings.js'

/** What stands for the value in `--help`: `<port>`, `<duration>`, `a|b`. Undefined for booleans. */
export function valuePlaceholder(name: SettingName): string | undefined {
  const row = settingRow(name)
  if (row.kind === 'boolean') return undefined
  if (row.kind === 'choice') return row.choices.join('|')
  return row.placeholder ?? (row.kind === 'optional-port' ? 'port' : row.kind)
}

/** The default as a person would write it, or in words; the empty string where nothing is set. */
export function describeDefault(name: SettingName): string {
  const row = settingRow(name)
  if (row.defaultNote !== undefined) return row.defaultNote
  const value = Array.isArray(row.default) ? [...(row.default as string[])] : row.default
  return describeValue(name, value as Parameters<typeof describeValue>[1])
}
