import { resolve } from 'node:path'
import { crossCheck } from './cross-check.js'
import { didYouMean, nearNames } from './near-names.js'
import { quote, type SettingProblem } from './problem.js'
import {
  absolutePath,
  locateFile,
  readFileIfThere,
  readSettingsFile,
  systemFolders,
  type AskedPath,
  type Folders,
} from './settings-file.js'
import {
  SETTING_NAMES,
  envName,
  flagName,
  isSettingName,
  settingRow,
  type Origin,
  type Origins,
  type SettingName,
  type Settings,
} from './settings.js'
import { splitList, valueKind } from './value-kinds.js'

/** What settings are loaded from; all but the flags and the environment have the real thing as default. */
export interface LoadSettingsNeeds {
  /** Values of the command line, by setting name. Undefined ones were not given. */
  flags: Readonly<Record<string, unknown>>
  env: Readonly<Record<string, string | undefined>>
  /** The text of a file, undefined where there is none. Throws when it can't be read. */
  readFile?: (path: string) => string | undefined
  folders?: Folders
  /** What relative paths of flags and environment are relative to. */
  cwd?: string
  /** Read just these; the others keep their defaults, and what is wrong with them is not told. */
  only?: readonly SettingName[]
}

/** The settings in effect, or everything that is wrong with them. Warnings never keep a node from starting. */
export type LoadedSettings = { warnings: string[] } & (
  | { ok: true; settings: Settings; origins: Origins }
  | { ok: false; problems: SettingProblem[] }
)

interface Given {
  raw: unknown
  origin: Origin
  /** The folder relative paths start from. */
  baseFolder: string
}

/**
 * Defaults < file < environment < flags. Every value given anywhere is checked, also one that a stronger source
 * overrides; `settings.config` is the file that was read, or else the one to create.
 */
export function loadSettings(needs: LoadSettingsNeeds): LoadedSettings {
  const folders = needs.folders ?? systemFolders()
  const cwd = needs.cwd ?? process.cwd()
  const problems: SettingProblem[] = unknownFlags(needs.flags)
  const given = new Map<SettingName, Given[]>()
  const names = needs.only ?? SETTING_NAMES
  for (const name of names) given.set(name, [...fromFlag(name, needs.flags, cwd), ...fromEnv(name, needs.env, cwd)])

  const fileChoice = locateFile({ config: askedPath(given, 'config'), dataDir: askedPath(given, 'data-dir') }, folders)
  const file = readSettingsFile(needs.readFile ?? readFileIfThere, fileChoice)
  problems.push(...file.problems, ...file.keyProblems.filter(({ setting }) => concerns(setting, needs.only)))
  for (const [name, raw] of file.values) {
    const origin: Origin = { kind: 'file', label: `file ${file.path}: ${name}` }
    given.get(name)?.push({ raw, origin, baseFolder: resolve(file.path, '..') })
  }

  const values: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  for (const name of SETTING_NAMES) {
    values[name] = defaultValue(name, folders)
    origins[name] = { kind: 'default', label: 'default' }
    for (const candidate of (given.get(name) ?? []).toReversed()) {
      const read = isSecretFlag(name, candidate.origin) ? refusedSecret(name) : readValue(name, candidate)
      if (!read.ok) problems.push({ source: candidate.origin.label, setting: name, sentence: read.sentence })
      else [values[name], origins[name]] = [read.value, candidate.origin]
    }
  }
  values.config = file.path
  // Every name of the table was given a value that its own row's schema let through.
  const settings = values as unknown as Settings
  if (needs.only === undefined) {
    problems.push(...crossCheck(settings, origins as Origins, new Set(problems.map((problem) => problem.setting))))
  }
  const warnings = needs.only === undefined ? unknownEnvironment(needs.env) : []
  return problems.length > 0
    ? { ok: false, problems, warnings }
    : { ok: true, settings, origins: origins as Origins, warnings }
}

function concerns(setting: SettingName | undefined, only: readonly SettingName[] | undefined): boolean {
  return only === undefined || (setting !== undefined && only.includes(setting))
}

/** A command line can be read by every user of the machine while the program runs, and stays in the shell's history. */
function isSecretFlag(name: SettingName, origin: Origin): boolean {
  return origin.kind === 'flag' && settingRow(name).secret === true
}

function refusedSecret(name: SettingName): { ok: false; sentence: string } {
  const variables = envNames(name).join(' or ')
  return {
    ok: false,
    sentence:
      'It is a secret, and other users of this machine can read a command line. ' +
      `Give it in the environment (${variables}) or as ${name} in the settings file.`,
  }
}

function readValue(name: SettingName, { raw, baseFolder }: Given): ReturnType<typeof parseSetting> {
  const parsed = parseSetting(name, raw)
  if (!parsed.ok || settingRow(name).kind !== 'path' || parsed.value === '') return parsed
  return { ok: true, value: absolutePath(String(parsed.value), baseFolder) }
}

/** One value as its row reads it, or the sentence that says what is wrong with it. */
export function parseSetting(
  name: SettingName,
  raw: unknown,
): { ok: true; value: unknown } | { ok: false; sentence: string } {
  const { schema, expected } = valueKind(settingRow(name))
  const parsed = schema.safeParse(raw)
  if (parsed.success) return { ok: true, value: parsed.data }
  if (raw === true && settingRow(name).kind !== 'boolean')
    return { ok: false, sentence: `It needs a value: ${expected}.` }
  if (settingRow(name).secret === true) return { ok: false, sentence: `It is not ${expected}.` }
  const index = parsed.error.issues[0]?.path[0]
  const culprit = Array.isArray(raw) && typeof index === 'number' ? (raw[index] as unknown) : raw
  return { ok: false, sentence: `${quote(culprit)} is not ${expected}.` }
}

function defaultValue(name: SettingName, folders: Folders): unknown {
  if (name === 'data-dir') return folders.data
  const { default: value } = settingRow(name)
  return Array.isArray(value) ? [...(value as unknown[])] : value
}

function fromFlag(name: SettingName, flags: LoadSettingsNeeds['flags'], baseFolder: string): Given[] {
  const given = flags[name]
  if (given === undefined) return []
  const row = settingRow(name)
  // A flag may be repeated and each may hold a list: one flat list comes out.
  const isLists = Array.isArray(given) && row.kind === 'list' && row.split === 'comma'
  const raw: unknown = isLists
    ? (given as unknown[]).flatMap((one) => (typeof one === 'string' ? splitList(one) : one))
    : given
  return [{ raw, baseFolder, origin: { kind: 'flag', label: `flag ${flagName(name)}` } }]
}

/** An empty variable counts as not set, as `OCF_SEED= ocf start` and compose files write it. */
function fromEnv(name: SettingName, env: LoadSettingsNeeds['env'], baseFolder: string): Given[] {
  return envNames(name).flatMap((variable) => {
    const raw = env[variable]
    if (raw === undefined || raw === '') return []
    return [{ raw, baseFolder, origin: { kind: 'environment', label: `environment ${variable}` } }]
  })
}

function envNames(name: SettingName): string[] {
  const { alsoEnv } = settingRow(name)
  return [envName(name), ...(alsoEnv === undefined ? [] : [alsoEnv])]
}

function askedPath(given: ReadonlyMap<SettingName, Given[]>, name: SettingName): AskedPath | undefined {
  const strongest = given.get(name)?.[0]
  if (strongest === undefined || typeof strongest.raw !== 'string' || strongest.raw === '') return undefined
  return { path: absolutePath(strongest.raw, strongest.baseFolder), label: strongest.origin.label }
}

function unknownFlags(flags: LoadSettingsNeeds['flags']): SettingProblem[] {
  return Object.keys(flags)
    .filter((name) => !isSettingName(name))
    .map((name) => ({
      source: `flag --${name}`,
      sentence: `There is no such setting.${didYouMean(nearNames(name, SETTING_NAMES))}`,
    }))
}

function unknownEnvironment(env: LoadSettingsNeeds['env']): string[] {
  const known = SETTING_NAMES.map(envName)
  return Object.keys(env)
    .filter((name) => name.startsWith('OCF_') && !known.includes(name))
    .map((name) => `environment ${name}: There is no such setting; it is ignored.${didYouMean(nearNames(name, known))}`)
}
