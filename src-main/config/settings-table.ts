import { SETTING_GROUPS, type SettingGroup } from './setting-row.js'
import { SETTING_NAMES, envName, flagName, settingRow, type SettingName, type Settings } from './settings.js'
import { describeDuration, describeSize } from './value-kinds.js'

/** Where the generated tables begin in docs/settings.md. */
export const TABLE_BEGIN = '<!-- settings:begin -->'
/** Where they end. */
export const TABLE_END = '<!-- settings:end -->'

/** The settings of one group, in the order of the table. */
export function settingsOfGroup(group: SettingGroup): SettingName[] {
  return SETTING_NAMES.filter((name) => settingRow(name).group === group)
}

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

/** The tables of docs/settings.md, one for each group, without the markers. */
export function settingsTableMarkdown(): string {
  const groups = Object.entries(SETTING_GROUPS) as [SettingGroup, string][]
  return groups.map(([group, title]) => `## ${title}\n\n${groupTable(settingsOfGroup(group))}`).join('\n')
}

/** `page` with everything between the markers replaced by the tables of today. Throws when a marker is missing. */
export function withSettingsTable(page: string): string {
  const begin = page.indexOf(TABLE_BEGIN)
  const end = page.indexOf(TABLE_END)
  if (begin === -1 || end < begin) throw new Error(`The page lacks ${TABLE_BEGIN} … ${TABLE_END}`)
  return `${page.slice(0, begin + TABLE_BEGIN.length)}\n\n${settingsTableMarkdown()}\n${page.slice(end)}`
}

function groupTable(names: SettingName[]): string {
  const rows = names.map((name) => {
    const { help, cost, defaultNote } = settingRow(name)
    const value = describeDefault(name)
    const shownDefault = defaultNote ?? (value === '' ? '' : code(value))
    return [code(flagName(name)), code(envName(name)), shownDefault, `${help} ${cost}`.trim()].map(escaped)
  })
  const lines = [['Setting', 'Environment', 'Default', 'What it does'], ['---', '---', '---', '---'], ...rows]
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}

function code(text: string): string {
  return `\`${text}\``
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll(/<([a-z]+)>/g, '&lt;$1&gt;')
}
