import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'
import type { SettingProblem } from './problem.js'
import { parseSettingsFile, type SettingsFile } from './settings-file.js'

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
