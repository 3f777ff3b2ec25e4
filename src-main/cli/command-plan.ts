import { Command, Option } from 'commander'
import { VERSION } from '../base/version.js'
import {
  didYouMean,
  type LoadedSettings,
  loadSettings,
  nearNames,
  problemLine,
  SETTING_NAMES,
  type SettingName,
  type SettingProblem,
} from '../config/index.js'
import { printable } from '../logging/index.js'
import { EXIT, type CliIo } from './io.js'
import { addSettingOptions, givenSettings, settingTerm } from './setting-options.js'

/** What a command runs with: everything on its line is known to be right. */
export interface Invocation {
  args: string[]
  json: boolean
  /** What stood behind `--`, where the command hands it on to another program. */
  passed: readonly string[]
  /** The values of the options only this command has, as they were written. */
  own: Record<string, unknown>
  loaded: Extract<LoadedSettings, { ok: true }>
}

/** The parts of `ocf --help`, in their order. */
const COMMAND_GROUPS = {
  run: 'Run a node:',
  use: 'Use models:',
  share: 'Share models:',
  people: 'People and networks:',
  care: 'Look after the node:',
} as const

/** What an argument may be, for shells that complete it: these words, or what the running node has. */
export type ArgumentValues = readonly string[] | 'models' | 'peers' | 'limits'

/** One command of the program. */
export interface CommandPlan {
  name: string
  group: keyof typeof COMMAND_GROUPS
  help: string
  /** The same in few words, for the list of commands. */
  summary?: string
  /** Lines of shell that show how it is used. */
  examples?: readonly string[]
  /** Names of the arguments, all of them needed. */
  args?: string[]
  /** Names of arguments that may follow those. */
  optionalArgs?: string[]
  /** What its arguments and own options take, by their names: `MODEL`, `--model`. */
  values?: Readonly<Record<string, ArgumentValues>>
  /** The settings that are options of it. */
  settings: readonly SettingName[]
  /** Those that `--help` shows; `--help-all` shows all. Left out: all. */
  common?: readonly SettingName[]
  /** Only these settings are read: problems of others don't stop the command. */
  only?: readonly SettingName[]
  /** True where `--json` prints the same for scripts. */
  json?: true
  /** Options only this command has. */
  options?: [flags: string, help: string, repeatable?: 'repeatable'][]
  /** The name of a last argument that may be given any number of times, also not at all. */
  repeatedArg?: string
  /** What stands behind `--` is for another program; otherwise these are arguments, whatever they look like. */
  passesOn?: true
  /** What is wrong with the options only this command has. */
  check?: (own: Readonly<Record<string, unknown>>) => SettingProblem[]
  run: (invocation: Invocation) => number | Promise<number>
}

const OWN_OPTIONS = 'Options:'

/** Repeated arguments of one line. */
const MAX_REPEATED = 64

/** The program without its commands. Errors and help are thrown as `CommanderError` once they are printed. */
export function createBareProgram(io: CliIo): Command {
  return new Command('ocf')
    .description('Share the models of your local server with a peer-to-peer network, and use those of everyone else.')
    .usage('COMMAND [options]')
    .addHelpText('after', examplesText(EXAMPLES))
    .version(VERSION, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({
      optionTerm: (option) => settingTerm(option, SETTING_NAMES) ?? plainTerm(option),
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace(/^\[options\] ?/, '')}`.trimEnd(),
    })
}

const EXAMPLES = [
  ['ocf start', 'runs a node until Ctrl-C'],
  ['ocf share 11434', 'shows the models of a server here, and how to share them'],
  ['ocf join', 'joins with an invite, or by an address'],
  ['ocf chat MODEL "Hello"', 'asks a model'],
  ['ocf launch claude', 'starts Claude Code with a model of this node'],
]

function examplesText(examples: readonly (readonly string[])[]): string {
  const width = Math.max(...examples.map(([line = '']) => line.length)) + 2
  return `\nExamples:\n${examples.map(([line = '', what = '']) => `  ${line.padEnd(width)}${what}`.trimEnd()).join('\n')}`
}

/** Adds a command that runs, or reports every problem of its line and of the settings at once. */
export function addPlannedCommand(
  program: Command,
  plan: CommandPlan,
  needs: { io: CliIo; literals: readonly string[]; tolerant: boolean; finish: (code: number) => void },
): void {
  const { io, literals, tolerant, finish } = needs
  const args = plan.args ?? []
  const optional = plan.optionalArgs ?? []
  const repeated = plan.repeatedArg
  const shownArgs = [...optional.map((arg) => `[${arg}]`), ...(repeated === undefined ? [] : [`[${repeated}...]`])]
  const behind = plan.passesOn === true ? ['[-- ARGUMENTS]'] : []
  const command = program.command([plan.name, ...args.map((arg) => `[${arg}]`), ...shownArgs].join(' '))
  command
    .description(plan.help)
    .summary(plan.summary ?? plan.help)
    .helpGroup(COMMAND_GROUPS[plan.group])
    .usage(['[options]', ...args, ...shownArgs, ...behind].join(' '))
    .optionsGroup(OWN_OPTIONS)
    .allowUnknownOption()
    .allowExcessArguments()
  const own = (plan.options ?? []).map(([flags, help, repeatable]) => {
    const option = new Option(flags, help)
    return repeatable === undefined ? option : option.argParser(collect)
  })
  if (plan.json === true) command.option('--json', 'Print JSON for scripts.')
  for (const option of own) command.addOption(option)
  addSettingOptions(command, plan.settings, plan.common ?? plan.settings)
  if (plan.examples !== undefined) command.addHelpText('after', examplesText(plan.examples.map((line) => [line])))
  const flags = command.options.map((option) => option.long ?? '').filter((flag) => !flag.startsWith('--no-'))
  if (plan.common !== undefined) addHelpOfAll(command)

  command.action(async () => {
    const rest = sortLeftovers(command.args, plan.passesOn === true ? [] : literals, {
      ...{ args, flags },
      optional: repeated === undefined ? optional : [...optional, ...Array<string>(MAX_REPEATED).fill(repeated)],
    })
    const ownValues = Object.fromEntries(
      own.map((option) => [option.attributeName(), command.getOptionValue(option.attributeName()) as unknown]),
    )
    const loaded = loadSettings({ ...io, flags: givenSettings(command, plan.settings), only: plan.only })
    const ignored = tolerant ? rest.problems : []
    const wrong = tolerant ? [] : rest.problems
    const problems = [...wrong, ...(plan.check?.(ownValues) ?? []), ...(loaded.ok ? [] : loaded.problems)]
    const warnings = [...loaded.warnings, ...ignored.map((problem) => `${problemLine(problem)} It is ignored.`)]
    for (const warning of warnings) io.stderr.write(`warning: ${printable(warning)}\n`)
    if (problems.length > 0 || !loaded.ok) {
      io.stderr.write(usageText(plan.name, problems))
      finish(EXIT.usage)
      return
    }
    const json = command.getOptionValue('json') === true
    const passed = plan.passesOn === true ? literals : []
    finish(await plan.run({ args: rest.args, json, passed, own: ownValues, loaded }))
  })
}

/** `--help-all`: the help with every setting in it. */
function addHelpOfAll(command: Command): void {
  command.addOption(new Option('--help-all', 'Print this help with every setting.'))
  command.on('option:help-all', () => {
    for (const option of command.options) option.hideHelp(option.long?.startsWith('--no-') === true)
    command.help()
  })
}

function collect(value: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? (previous as string[]) : []), value]
}

function usageText(name: string, problems: readonly SettingProblem[]): string {
  const lines = problems.map((problem) => `error: ${printable(problemLine(problem))}\n`)
  return `${lines.join('')}Nothing was done. \`ocf ${name} --help\` lists its options.\n`
}

/** An option that is not of the settings table, with its value as a person reads it. */
function plainTerm(option: Option): string {
  return option.flags.replace(/\[(?!no-)([a-z]+)\]/, '<$1>')
}

/** What a command line has besides known options: arguments and problems. */
interface Leftovers {
  args: string[]
  problems: SettingProblem[]
}

/** Sorts what commander left over. `literals` stood behind `--` and are arguments whatever they look like. */
function sortLeftovers(
  rest: readonly string[],
  literals: readonly string[],
  expected: { args: readonly string[]; optional?: readonly string[]; flags: readonly string[] },
): Leftovers {
  const args: string[] = []
  const problems: SettingProblem[] = []
  let valueOfUnknown = false
  for (const word of rest) {
    const isFlag = word.length > 1 && word.startsWith('-')
    if (isFlag) problems.push(unknownFlag(word, expected.flags))
    else if (!valueOfUnknown) args.push(word)
    valueOfUnknown = isFlag && !word.includes('=')
  }
  args.push(...literals)
  if (problems.length === 0) problems.push(...wrongArguments(args, expected.args, expected.optional ?? []))
  return { args, problems }
}

function unknownFlag(word: string, flags: readonly string[]): SettingProblem {
  const flag = word.split('=', 1)[0] ?? word
  return { source: `flag ${flag}`, sentence: `There is no such flag.${didYouMean(nearNames(flag, flags))}` }
}

function wrongArguments(
  args: readonly string[],
  expected: readonly string[],
  optional: readonly string[],
): SettingProblem[] {
  const missing = expected
    .slice(args.length)
    .map((name) => ({ source: `argument ${name}`, sentence: 'It is missing.' }))
  const extra = args
    .slice(expected.length + optional.length)
    .map((word) => ({ source: `argument ${word}`, sentence: 'This command takes no such argument.' }))
  return [...missing, ...extra]
}
