import { Option, type Command } from 'commander'
import { SETTING_GROUPS } from '../config/index.js'
import { describeDefault, valuePlaceholder } from '../config/index.js'
import { envName, flagName, settingRow, type SettingName } from '../config/index.js'

/** What most people set when they start a node. */
export const COMMON_SETTINGS: readonly SettingName[] = [
  ...(['mode', 'name', 'data-dir', 'config', 'port', 'host', 'use.reach', 'tcpport', 'public-addr'] as const),
  ...(['bootstrap.sources', 'service.name', 'service.port', 'service.visibility', 'subprocess', 'log-level'] as const),
  'ready-json',
]

/**
 * Makes settings options of a command, from the table; those that are not in `shown` are left out of its help. Values
 * stay as they were written: `loadSettings` reads them, so that every bad one is reported at once. For the same reason a
 * missing value passes, as `true`.
 */
export function addSettingOptions(
  command: Command,
  names: readonly SettingName[],
  shown: readonly SettingName[],
): void {
  for (const name of names) {
    const row = settingRow(name)
    const option = new Option(`${flagName(name)} [value]`, helpOf(name)).helpGroup(`${SETTING_GROUPS[row.group]}:`)
    if (row.kind === 'list') option.argParser(collect)
    command.addOption(option.hideHelp(!shown.includes(name)))
    if (row.kind === 'boolean') command.addOption(new Option(`--no-${name}`).hideHelp())
  }
}

/** The setting flags that were given, by setting name. */
export function givenSettings(command: Command, names: readonly SettingName[]): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const option of command.options) {
    const name = names.find((candidate) => option.long === flagName(candidate))
    const attribute = option.attributeName()
    if (name !== undefined && command.getOptionValueSource(attribute) === 'cli') {
      values[name] = command.getOptionValue(attribute) as unknown
    }
  }
  return values
}

/** `--port <port>`, `--[no-]cleanslate`, `OCF_SEED=<text>` for a secret: what `--help` shows of an option of the table. */
export function settingTerm(option: Option, names: readonly SettingName[]): string | undefined {
  const name = names.find((candidate) => option.long === flagName(candidate))
  if (name === undefined) return undefined
  const placeholder = valuePlaceholder(name)
  if (settingRow(name).secret === true) return `${envName(name)}=<${placeholder}>`
  return placeholder === undefined ? `--[no-]${name}` : `${flagName(name)} <${placeholder}>`
}

function collect(value: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? (previous as string[]) : []), value]
}

function helpOf(name: SettingName): string {
  const { help, cost, secret } = settingRow(name)
  const way = secret === true ? 'A secret: in the environment or the settings file, never a flag.' : ''
  const value = describeDefault(name)
  return [help, cost, way, value === '' ? '' : `(default: ${value})`].filter((part) => part !== '').join(' ')
}
