import { CommanderError } from 'commander'
import { AppError } from '#shared/errors.js'
import { controlFilePath, createControlClient } from '../api/client.js'
import { didYouMean, nearNames, problemLine } from '../config/index.js'
import { printable } from '../logging/index.js'
import { guardedIo } from './guarded-io.js'
import { EXIT, type CliIo, type CliNeeds, type ControlClient } from './io.js'
import { createProgram } from './program.js'

/** Runs `ocf` with the words after the program's name; resolves to the exit code and never rejects. */
export async function runCli(argv: readonly string[], hosted: CliNeeds): Promise<number> {
  const needs = { ...hosted, io: guardedIo(hosted.io) }
  const literalsAt = argv.indexOf('--')
  const words = literalsAt === -1 ? argv : argv.slice(0, literalsAt)
  const literals = literalsAt === -1 ? [] : argv.slice(literalsAt + 1)
  let code: number = EXIT.ok
  const program = createProgram(needs, { literals, finish: (result) => (code = result) })
  if (argv.length === 0) {
    program.outputHelp()
    return EXIT.ok
  }
  const [command = ''] = words
  const names = program.commands.map((one) => one.name())
  if (command !== '' && command !== 'help' && !command.startsWith('-') && !names.includes(command)) {
    needs.io.stderr.write(noSuchCommand(command, names))
    return EXIT.usage
  }
  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    return error instanceof CommanderError ? codeOf(error) : failed(needs.io, error)
  }
}

/** A word that begins like a command is taken for the beginning of it. */
function noSuchCommand(word: string, names: readonly string[]): string {
  const begun = names.filter((name) => word.length > 1 && name.startsWith(word))
  const near = didYouMean(begun.length > 0 ? begun : nearNames(word, names))
  const line = problemLine({ source: `command ${word}`, sentence: `There is no such command.${near}` })
  return `error: ${printable(line)}\nNothing was done. \`ocf --help\` lists the commands.\n`
}

/** Commander has printed it already; all but `--help` and `--version` are slips on the command line. */
function codeOf(error: CommanderError): number {
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage
}

function failed(io: CliIo, error: unknown): number {
  if (error instanceof AppError) {
    io.stderr.write(`error: ${printable(error.message)} (${error.code})\n`)
    return error.code === 'node_not_running'
      ? EXIT.notRunning
      : error.code === 'invalid_settings'
        ? EXIT.usage
        : EXIT.failed
  }
  // A bug: a report needs the stack.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.stderr.write(`error: ${printable(text, '\n')}\n`)
  return EXIT.failed
}

/** Calls into the node that runs with this data folder; where none does, the error names the folder. */
export function connectToNode(dataDir: string): ControlClient {
  const client = createControlClient({ controlFile: controlFilePath(dataDir) })
  function explain(error: unknown): never {
    if (!(error instanceof AppError) || error.code !== 'node_not_running') throw error
    const sentence = `No node is running with the data folder ${dataDir}. Start one with \`ocf start\`.`
    throw new AppError('node_not_running', sentence, { cause: error })
  }
  return {
    call: (name, input) => client.call(name, input).catch(explain),
    dashboard: (options) => client.dashboard(options).catch(explain),
  }
}
