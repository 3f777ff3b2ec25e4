import { isMap, parseDocument } from 'yaml'
import { didYouMean, nearNames } from './near-names.js'
import type { SettingProblem } from './problem.js'
import { SETTING_NAMES, isSettingName, settingRow, type SettingName } from './settings.js'

/** Characters; a settings file is far smaller, a wrong file given by mistake may be far larger. */
const MAX_FILE = 1024 * 1024
const MAX_DEPTH = 4

/** What a settings file gives, by setting, and everything that is wrong with it. */
export interface SettingsFile {
  values: Map<SettingName, unknown>
  /** Wrong with the file as a whole. */
  problems: SettingProblem[]
  /** Wrong with one of its keys. */
  keyProblems: SettingProblem[]
}

/** Reads YAML (and so JSON) with nested (`bootstrap: {addr: …}`) or dotted (`bootstrap.addr: …`) keys; never throws. */
export function parseSettingsFile(path: string, text: string): SettingsFile {
  const values = new Map<SettingName, unknown>()
  const keyProblems: SettingProblem[] = []
  const source = `file ${path}`
  if (text.length > MAX_FILE) {
    return { values, keyProblems, problems: [{ source, sentence: 'It is larger than 1 MiB and so no settings file.' }] }
  }
  const root = readYaml(text)
  if ('errors' in root) {
    return { values, keyProblems, problems: root.errors.map((sentence) => ({ source, sentence })) }
  }
  for (const [key, value] of flatten(root.map, '', 0)) {
    if (!isSettingName(key)) {
      const sentence = `There is no such setting.${didYouMean(nearNames(key, SETTING_NAMES))}`
      keyProblems.push({ source: `${source}: ${key}`, sentence })
    } else if (settingRow(key).inFile === false) {
      keyProblems.push({
        source: `${source}: ${key}`,
        setting: key,
        sentence: 'It can only be given as a flag or in the environment.',
      })
    } else if (values.has(key)) {
      keyProblems.push({ source: `${source}: ${key}`, setting: key, sentence: 'It stands in the file twice.' })
    } else if (value !== null) {
      values.set(key, value)
    }
  }
  return { values, keyProblems, problems: [] }
}

function readYaml(text: string): { map: Record<string, unknown> } | { errors: string[] } {
  try {
    const document = parseDocument(text, { prettyErrors: true })
    if (document.errors.length > 0) {
      return { errors: document.errors.map((error) => `It is not YAML: ${firstLine(error.message)}`) }
    }
    if (document.contents === null) return { map: {} }
    if (!isMap(document.contents)) return { errors: ['It has to be a list of `setting: value` lines.'] }
    return { map: document.toJS() as Record<string, unknown> }
  } catch (error) {
    return { errors: [`It is not YAML: ${error instanceof Error ? firstLine(error.message) : String(error)}`] }
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/:$/, '.') ?? ''
}

function* flatten(map: object, prefix: string, depth: number): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(map) as [string, unknown][]) {
    const name = `${prefix}${key}`
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < MAX_DEPTH) {
      yield* flatten(value, `${name}.`, depth + 1)
    } else {
      yield [name, value]
    }
  }
}
