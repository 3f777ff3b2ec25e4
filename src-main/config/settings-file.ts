import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { isMap, parseDocument } from 'yaml'
import { didYouMean, nearNames } from './near-names.js'
import type { SettingProblem } from './problem.js'
import { SETTING_NAMES, isSettingName, settingRow, type SettingName } from './settings.js'

/** Characters: more than a thousand peer ids. The parser's time grows with the square of the keys. */
const MAX_FILE = 64 * 1024
const MAX_DEPTH = 4
/** Unknown keys that get a suggestion, as looking for one takes time. */
const MAX_SUGGESTIONS = 20

/** What a settings file gives, by setting, and everything that is wrong with it. */
export interface SettingsFile {
  values: Map<SettingName, unknown>
  /** Wrong with the file as a whole. */
  problems: SettingProblem[]
  /** Wrong with one of its keys. */
  keyProblems: SettingProblem[]
}

/** Reads YAML (and so JSON) with nested (`bootstrap: {addr: …}`) or dotted (`bootstrap.addr: …`) keys; never throws. */
function parseSettingsFile(path: string, text: string): SettingsFile {
  const values = new Map<SettingName, unknown>()
  const keyProblems: SettingProblem[] = []
  const source = `file ${path}`
  if (text.length > MAX_FILE) {
    return {
      values,
      keyProblems,
      problems: [{ source, sentence: 'It is larger than 64 KiB and so no settings file.' }],
    }
  }
  const root = readYaml(text)
  if ('errors' in root) {
    return { values, keyProblems, problems: root.errors.map((sentence) => ({ source, sentence })) }
  }
  for (const [key, value] of flatten(root.map, '', 0)) {
    if (!isSettingName(key)) {
      const near = keyProblems.length < MAX_SUGGESTIONS ? nearNames(key, SETTING_NAMES) : []
      const sentence = `There is no such setting.${didYouMean(near)}`
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

/** Where an operating system keeps a program's data and configuration. */
export interface Folders {
  data: string
  config: string
}

/** The folders of this operating system for `ocf`. */
export function systemFolders(): Folders {
  const { data, config } = envPaths('ocf', { suffix: '' })
  return { data, config }
}

/** A path that a flag or the environment gave. */
export interface AskedPath {
  /** Absolute. */
  path: string
  /** `flag --config`. */
  label: string
}

const FILE_NAMES = ['config.yaml', 'config.yml', 'config.json']

/** Which file to read. */
export interface FileChoice {
  /** The first of these that exists is read. */
  paths: string[]
  /** The source that asked for this very file, which then has to exist. */
  askedBy?: string
  /** The file to create where none exists. */
  toCreate: string
}

/**
 * `--config`, or the config file in the data folder where one was given and holds one, or that of the operating system:
 * a data folder that was given holds everything of its node.
 */
export function locateFile(given: { config?: AskedPath; dataDir?: AskedPath }, folders: Folders): FileChoice {
  const { config: asked, dataDir } = given
  if (asked !== undefined) return { paths: [asked.path], askedBy: asked.label, toCreate: asked.path }
  const inFolder = (folder: string): string[] => FILE_NAMES.map((name) => join(folder, name))
  return {
    paths: [...(dataDir === undefined ? [] : inFolder(dataDir.path)), ...inFolder(folders.config)],
    toCreate: join(dataDir?.path ?? folders.config, 'config.yaml'),
  }
}

/** Reads the chosen file; one that was asked for and is not there is a problem. `path` is it, or the one to create. */
export function readSettingsFile(
  readFile: (path: string) => string | undefined,
  choice: FileChoice,
): SettingsFile & { path: string } {
  for (const path of choice.paths) {
    try {
      const text = readFile(path)
      if (text !== undefined) return { path, ...parseSettingsFile(path, text) }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return {
        path,
        values: new Map(),
        keyProblems: [],
        problems: [{ source: `file ${path}`, sentence: `It can't be read: ${reason}.` }],
      }
    }
  }
  const missing: SettingProblem[] =
    choice.askedBy === undefined
      ? []
      : [{ source: choice.askedBy, setting: 'config', sentence: `There is no file ${choice.toCreate}.` }]
  return { path: choice.toCreate, values: new Map(), keyProblems: [], problems: missing }
}

/** The text of a file, undefined where there is none. Throws when it can't be read. */
export function readFileIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
}

/** A path as a person writes it: `~` is the home folder, relative ones start from `baseFolder`. */
export function absolutePath(path: string, baseFolder: string): string {
  return /^~(?=[/\\]|$)/.test(path) ? join(homedir(), path.slice(1)) : resolve(baseFolder, path)
}
