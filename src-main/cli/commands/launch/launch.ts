import { homedir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '#shared/errors.js'
import { didYouMean, nearNames, quote, type SettingProblem } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'
import { chooseModel } from './choose-model.js'
import { prepareFolder } from './folder.js'
import { findProgram, runProgram } from './run-program.js'
import { type Launch, TOOL_NAMES, TOOLS, type ToolName } from './tools.js'

/** The options only `ocf launch` has. */
export const LAUNCH_OPTIONS: [flags: string, help: string][] = [
  ['--model [id]', 'The model to use; left out: the best one whose context suffices.'],
  ['--print', 'Shows what would be set, and starts nothing.'],
]

type Own = Readonly<Record<string, unknown>>

/** What is wrong with those. */
export function launchProblems({ model }: Own): SettingProblem[] {
  return model === true ? [{ source: 'flag --model', sentence: 'It needs a value.' }] : []
}

/** What a gateway without keys is shown; tools refuse to start without any. */
const ANY_KEY = 'ocf'
const HIDDEN_KEY = '<the key of this node’s own commands>'

/**
 * `ocf launch TOOL [-- ARGUMENTS]`: starts a tool that uses this node's models. It gets variables, arguments and a folder
 * of its own below the data folder; what the person configured for it is neither read nor written. Resolves to its exit code.
 */
export async function runLaunch(
  needs: { io: CliIo; client: ControlClient },
  options: { tool: string; passed: readonly string[]; own: Own; dataDir: string },
): Promise<number> {
  const { io, client } = needs
  const { own, passed, dataDir } = options
  const name = toolName(options.tool)
  const tool = TOOLS[name]
  const { gatewayUrl } = await client.call('node.status', {})
  if (gatewayUrl === null)
    throw new AppError('no_provider', 'The node’s gateway is not listening yet. Try again in a moment.')
  const models = await client.call('models.list', {})
  const { model, warning } = chooseModel(models, tool, typeof own.model === 'string' ? own.model : undefined)
  const { key } = await client.call('keys.own', {})
  const folder = join(dataDir, 'launch', name)
  const isShown = own.print === true
  const shownKey = key === null ? ANY_KEY : isShown ? HIDDEN_KEY : key
  const launch = tool.launch({ gatewayUrl, key: shownKey, model, folder })
  const env = { ...launch.env, ...standInVariables(launch, folder) }
  if (warning !== undefined) io.stderr.write(`warning: ${printable(warning)}\n`)
  if (isShown) {
    io.stdout.write(printedLaunch({ ...launch, env }, { folder, words: [tool.program, ...launch.args, ...passed] }))
    return EXIT.ok
  }
  const file = findProgram(tool.program, io.env)
  if (file === undefined) {
    io.stderr.write(`error: ${tool.title} is not installed. Get it: ${tool.install}\n`)
    return EXIT.failed
  }
  prepareFolder(folder, launch, { env: io.env, home: homedir() })
  io.stderr.write(`${tool.title} with ${printable(model.id)} through ${gatewayUrl}\n`)
  return await runProgram({
    file,
    args: [...launch.args, ...passed],
    env: { ...io.env, ...besideProxies(io.env), ...env },
  })
}

function toolName(text: string): ToolName {
  const name = TOOL_NAMES.find((one) => one === text)
  if (name !== undefined) return name
  const near = didYouMean(nearNames(text, TOOL_NAMES))
  throw new AppError('invalid_settings', `There is no tool ${quote(text)}.${near} There are ${TOOL_NAMES.join(', ')}.`)
}

/** The gateway is on this machine: a proxy of the person's would not find it. */
function besideProxies(env: CliIo['env']): Record<string, string> {
  const local = 'localhost,127.0.0.1,::1'
  const isThere = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'].some(
    (name) => (env[name] ?? '') !== '',
  )
  if (!isThere) return {}
  const given = env['NO_PROXY'] ?? env['no_proxy'] ?? ''
  const all = given === '' ? local : `${given},${local}`
  return { NO_PROXY: all, no_proxy: all }
}

const standInVariables = ({ standIns = [] }: Launch, folder: string): Record<string, string> =>
  Object.fromEntries(standIns.map(({ variable, name }) => [variable, join(folder, name)]))

/** The launch as lines for a shell. */
function printedLaunch(
  { env, files }: Launch,
  { folder, words }: { folder: string; words: readonly string[] },
): string {
  const lines = [
    ...files.map(({ name, text }) => `# ${join(folder, name)}: ${text.trim().replaceAll(/\s+/g, ' ')}`),
    ...Object.entries(env).map(([name, value]) =>
      value === undefined ? `unset ${name}` : `export ${name}=${shellWord(value)}`,
    ),
    words.map(shellWord).join(' '),
  ]
  return lines.map((line) => `${printable(line)}\n`).join('')
}

const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
