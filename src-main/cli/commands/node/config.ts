import type { Origins } from '../../../config/index.js'
import { SETTING_NAMES, settingRow, type SettingName, type Settings } from '../../../config/index.js'
import { MASK, viewOf } from '../../../config/index.js'
import { EXIT, type CliIo } from '../../io.js'
import { mayColour, textTable } from '../../table.js'

/** `ocf config`: every setting with the value in effect and where it came from. */
export function runConfig(
  needs: { io: CliIo; settings: Settings; origins: Origins },
  options: { json: boolean },
): number {
  const { io, settings, origins } = needs
  io.stdout.write(options.json ? configJson(settings, origins) : configText(settings, origins, mayColour(io)))
  return EXIT.ok
}

function configText(settings: Settings, origins: Origins, colour: boolean): string {
  const views = SETTING_NAMES.map((name) => viewOf(name, settings, origins))
  return textTable(
    ['SETTING', 'VALUE', 'FROM'],
    views.map(({ name, value, originLabel }) => [name, value, originLabel]),
    { colour },
  )
}

/** Values in base units: milliseconds, bytes, lists. */
function configJson(settings: Settings, origins: Origins): string {
  const entries = SETTING_NAMES.map((name) => [
    name,
    { value: jsonValue(name, settings), origin: origins[name].kind, from: origins[name].label },
  ])
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`
}

function jsonValue(name: SettingName, settings: Settings): unknown {
  const value = settings[name]
  return settingRow(name).secret === true && value !== '' ? MASK : (value ?? null)
}
