import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { dialog } from 'electron'
import type { Log } from '../../logging/index.js'
import { COMMAND_LINE } from '../argv.js'
import type { OwnProgram } from './program.js'

/** Where the command `ocf` of this person lies and what is in it. */
interface CommandFile {
  path: string
  text: string
}

/** What the command depends on. */
export interface CommandFacts {
  platform: NodeJS.Platform
  program: OwnProgram
  home: string
  env: NodeJS.ProcessEnv
}

/** A file without it was made by somebody else and stays. */
const OWN_MARK = 'Open Compute’s ocf command'

/**
 * The command `ocf` as a file in a folder of the person's path; undefined where the package has brought one along (deb,
 * rpm), or where there is no place for it.
 */
export function commandFile({ platform, program, home, env }: CommandFacts): CommandFile | undefined {
  const inBin = join(home, '.local', 'bin', 'ocf')
  if (platform === 'darwin') return { path: inBin, text: script(program.path, '') }
  if (platform === 'linux' && program.appImage !== undefined) {
    // There may be no display, and there is nothing to draw.
    return { path: inBin, text: script(program.appImage, ' --ozone-platform=headless --disable-gpu') }
  }
  const localData = env['LOCALAPPDATA']
  if (platform !== 'win32' || localData === undefined) return undefined
  const brought = join(dirname(program.path), 'bin', 'ocf.cmd')
  return {
    // Windows has this folder in every person's path.
    path: join(localData, 'Microsoft', 'WindowsApps', 'ocf.cmd'),
    text: `@rem ${OWN_MARK}\r\n@call "${brought.replaceAll('%', '%%')}" %*\r\n`,
  }
}

function script(program: string, flags: string): string {
  const quoted = `'${program.replaceAll("'", String.raw`'\''`)}'`
  return [
    '#!/bin/sh',
    `# ${OWN_MARK}`,
    `if [ "\${1-}" = app ]; then shift; exec ${quoted} "$@"; fi`,
    `exec ${quoted}${flags} ${COMMAND_LINE} "$@"`,
    '',
  ].join('\n')
}

/** Writes the command. Throws the file system's errors, and one where somebody else's file is there. */
export async function writeCommand({ path, text }: CommandFile): Promise<void> {
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (before?.includes(OWN_MARK) === false) throw new Error(`${path} is there already and is another program’s.`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  await chmod(path, 0o755)
}

const INSTALL = 0

/** Asks whether to install the command, does it, and says what came of it. */
export async function offerCommand(file: CommandFile, needs: { facts: CommandFacts; log: Log }): Promise<void> {
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: 'Install the “ocf” command?',
    detail: `Terminals can then use this node with “ocf status” and the like. It is one small file:\n${file.path}`,
    buttons: ['Install', 'Cancel'],
    defaultId: INSTALL,
    cancelId: 1,
    noLink: true,
  })
  if (response !== INSTALL) return
  try {
    await writeCommand(file)
  } catch (error) {
    needs.log.forComponent('shell').warn('the command could not be installed', { file: file.path, error })
    dialog.showErrorBox('The command could not be installed', error instanceof Error ? error.message : String(error))
    return
  }
  const folders = (needs.facts.env['PATH'] ?? '').split(delimiter)
  const isInPath = needs.facts.platform === 'win32' || folders.includes(dirname(file.path))
  await dialog.showMessageBox({
    type: 'info',
    message: 'The “ocf” command is installed',
    detail: isInPath
      ? 'Open a new terminal and try “ocf status”.'
      : `Add ${dirname(file.path)} to your PATH, open a new terminal and try “ocf status”.`,
  })
}
