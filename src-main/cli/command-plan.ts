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
  /** The values of the options only this command has, as they were written. */
  own: Record<string, unknown>
  loaded: Extract<LoadedSettings, { ok: true }>
}

/** One command of the program. */
export interface CommandPlan {
  name: string
  help: string
  /** Names of the arguments, all of them needed. */
  args?: string[]
  /** Names of arguments that may follow those. */
  optionalArgs?: string[]
  /** The settings that are options of it. */
  settings: readonly SettingName[]
  /** Only these settings are read: problems of others don't stop the command. */
  only?: readonly SettingName[]
  /** True where `--json` prints the same for scripts. */
  json?: true
  /** Options only this command has. */
  options?: [flags: string, help: string, repeatable?: 'repeatable'][]
  /** The name of a last argument that may be given any number of times, also not at all. */
  repeatedArg?: string
  /** What is wrong with those. */
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
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map((argument) => argument.name())].join(' '),
    })
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
  const command = program.command([plan.name, ...args.map((arg) => `[${arg}]`), ...shownArgs].join(' '))
  command
    .description(plan.help)
    .usage(['[options]', ...args, ...shownArgs].join(' '))
    .optionsGroup(OWN_OPTIONS)
    .allowUnknownOption()
    .allowExcessArguments()
  const own = (plan.options ?? []).map(([flags, help, repeatable]) => {
    const option = new Option(flags, help)
    return repeatable === undefined ? option : option.argParser(collect)
  })
  if (plan.json === true) command.option('--json', 'Print JSON for scripts.')
  for (const option of own) command.addOption(option)
  addSettingOptions(command, plan.settings)

  command.action(async () => {
    const flags = command.options.filter((option) => !option.hidden).map((option) => option.long ?? '')
    const rest = sortLeftovers(command.args, literals, {
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
    finish(await plan.run({ args: rest.args, json, own: ownValues, loaded }))
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
