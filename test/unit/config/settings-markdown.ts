import { SETTING_GROUPS, type SettingGroup } from '../../../src-main/config/setting-row.js'
import { describeDefault } from '../../../src-main/config/settings-table.js'
import { SETTING_NAMES, envName, flagName, settingRow, type SettingName } from '../../../src-main/config/settings.js'

const TABLE_BEGIN = '<!-- settings:begin -->'
const TABLE_END = '<!-- settings:end -->'

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

function settingsOfGroup(group: SettingGroup): SettingName[] {
  return SETTING_NAMES.filter((name) => settingRow(name).group === group)
}

function groupTable(names: SettingName[]): string {
  const rows = names.map((name) => {
    const { help, cost, defaultNote, secret } = settingRow(name)
    const value = describeDefault(name)
    const shownDefault = defaultNote ?? (value === '' ? '' : code(value))
    return [
      code(secret === true ? name : flagName(name)),
      code(envName(name)),
      shownDefault,
      `${help} ${cost}`.trim(),
    ].map(escaped)
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
