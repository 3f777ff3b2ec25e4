import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { EXIT } from '../../io.js'

/** A program at this terminal. */
interface ProgramCall {
  /** The file, as {@link findProgram} found it. */
  file: string
  args: readonly string[]
  env: Readonly<Record<string, string | undefined>>
}

type Env = ProgramCall['env']

/** The file of a program in the PATH; undefined where there is none. */
export function findProgram(name: string, env: Env, platform: NodeJS.Platform = process.platform): string | undefined {
  const isWindows = platform === 'win32'
  const endings = isWindows ? (env['PATHEXT'] ?? '.EXE;.CMD').split(';') : ['']
  const folders = (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const files = folders.flatMap((folder) => endings.map((ending) => join(folder, `${name}${ending}`)))
  return files.find((file) => {
    const stats = statSync(file, { throwIfNoEntry: false })
    return stats?.isFile() === true && (isWindows || (stats.mode & 0o111) !== 0)
  })
}

/** A shell's way to say that a signal ended a program. */
const SIGNAL_BASE = 128
/** A terminal sends these to the program itself as well. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP']

/** Runs a program in place of this one: same terminal, signals passed on. Resolves to its exit code. */
export async function runProgram({ file, args, env }: ProgramCall): Promise<number> {
  const command = commandOf(file, args)
  const child = spawn(command.file, command.args, {
    stdio: 'inherit',
    env,
    windowsVerbatimArguments: command.isVerbatim,
  })
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  const leave = (): void => undefined
  for (const signal of FROM_TERMINAL) process.on(signal, process.stdin.isTTY ? leave : pass)
  for (const signal of PASSED_ON) process.on(signal, pass)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        resolve(signal === null ? (code ?? EXIT.failed) : SIGNAL_BASE + constants.signals[signal]),
      )
    })
  } finally {
    for (const signal of FROM_TERMINAL) process.off(signal, leave).off(signal, pass)
    for (const signal of PASSED_ON) process.off(signal, pass)
  }
}

/** npm's commands on Windows are scripts of cmd.exe, which reads its line once more. */
function commandOf(file: string, args: readonly string[]): { file: string; args: string[]; isVerbatim: boolean } {
  if (!/\.(?:cmd|bat)$/i.test(file)) return { file, args: [...args], isVerbatim: false }
  const line = [`"${file}"`, ...args.map(forCmd)].join(' ')
  return { file: process.env['ComSpec'] ?? 'cmd.exe', args: ['/d', '/s', '/c', `"${line}"`], isVerbatim: true }
}

/** An argument as a script of cmd.exe gets it: quoted for the program, then masked twice, for cmd.exe and for the script. */
function forCmd(arg: string): string {
  const quoted = `"${arg.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1')}"`
  const mask = (text: string): string => text.replaceAll(/[()\][%!^"`<>&|;, *?]/g, '^$&')
  return mask(mask(quoted))
}
