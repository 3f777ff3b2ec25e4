import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMap, parseDocument, type Document } from 'yaml'
import type { SettingView } from '#shared/contract/settings.js'
import { AppError } from '#shared/errors.js'
import { parseSetting, type Origins } from '../../config/load-settings.js'
import { describeDuration, describeSize } from '../../config/quantities.js'
import { SETTING_GROUPS } from '../../config/setting-row.js'
import { isSettingName, settingRow, SETTING_NAMES, type SettingName, type Settings } from '../../config/settings.js'
import { writePrivateFile } from '../write-file.js'
import type { SettingsSource } from './settings.js'

/** Whoever reads these can be this node: shown as set or not set, never as they are. */
const SECRETS: ReadonlySet<SettingName> = new Set(['seed'])

/** The settings this process was started with, and the file that the next start reads. */
export function createSettingsSource(loaded: { settings: Settings; origins: Origins }): SettingsSource {
  const { settings, origins } = loaded
  /** One write at a time: each reads what the one before wrote. */
  let writing: Promise<void> = Promise.resolve()

  async function write(name: SettingName, value: unknown): Promise<void> {
    const path = settings.config
    const document = parseDocument(await readIfThere(path))
    if (document.errors.length > 0) {
      throw new AppError('invalid_settings', `The settings file ${path} can't be read. Mend it by hand first.`)
    }
    setInDocument(document, name, value)
    await mkdir(dirname(path), { recursive: true })
    await writePrivateFile(
      path,
      path.endsWith('.json') ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString(),
    )
  }

  return {
    list: () =>
      SETTING_NAMES.map((name): SettingView => {
        const { group, help, cost, restart } = settingRow(name)
        const { kind, label } = origins[name]
        return {
          name,
          group: SETTING_GROUPS[group],
          value: describeValue(name, settings[name]),
          origin: kind,
          originLabel: label,
          help,
          cost,
          restart,
        }
      }),
    async save(name, value) {
      if (!isSettingName(name)) throw new AppError('not_found', 'There is no setting of that name.', { param: 'name' })
      const row = settingRow(name)
      if (row.inFile === false) {
        throw new AppError('invalid_settings', `${name} can only be given as a flag or in the environment.`)
      }
      const written = value === null ? undefined : valueToWrite(name, value)
      const earlier = writing
      const own = earlier.then(() => write(name, written))
      // Its own caller hears of a failure; the next write starts regardless.
      writing = own.catch(() => undefined)
      await own
      return { restartNeeded: row.restart }
    },
  }
}

/** Checked, and in the form a person would write: the parsed value would lose its unit. */
function valueToWrite(name: SettingName, value: string): unknown {
  const parsed = parseSetting(name, value)
  if (!parsed.ok) throw new AppError('invalid_settings', `${name}: ${parsed.sentence}`, { param: name })
  const { kind } = settingRow(name)
  return kind === 'duration' || kind === 'size' ? value : parsed.value
}

/** Keeps comments and the file's own way of writing a name: `bootstrap.addr` or `bootstrap: {addr}`. */
function setInDocument(document: Document, name: SettingName, value: unknown): void {
  const nested = name.split('.')
  if (!isMap(document.contents)) document.contents = document.createNode({})
  document.delete(name)
  if (nested.length > 1 && isMap(document.getIn(nested.slice(0, -1)))) {
    if (value === undefined) document.deleteIn(nested)
    else document.setIn(nested, value)
  } else if (value !== undefined) {
    document.set(name, value)
  }
}

function describeValue(name: SettingName, value: Settings[SettingName]): string {
  if (value === undefined || value === '') return ''
  if (SECRETS.has(name)) return '••••••'
  if (Array.isArray(value)) return value.join(', ')
  if (typeof value === 'number') {
    const { kind } = settingRow(name)
    if (kind === 'duration') return describeDuration(value)
    if (kind === 'size') return describeSize(value)
  }
  return String(value)
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
