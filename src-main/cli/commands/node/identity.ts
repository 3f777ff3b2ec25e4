import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '#shared/errors.js'
import { counted } from '#shared/figures.js'
import { quote, type SettingProblem } from '../../../config/index.js'
import { printable } from '../../../logging/index.js'
import { readTextFile } from '../../given-text.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'

/** The options only `ocf identity` has. */
export const IDENTITY_OPTIONS: [flags: string, help: string][] = [
  ['--passphrase-file [file]', 'File with the passphrase of the backup, on one line; /dev/stdin reads it from a pipe.'],
]

/** What is wrong with those. */
export function identityProblems(own: Readonly<Record<string, unknown>>): SettingProblem[] {
  return own.passphraseFile === true ? [{ source: 'flag --passphrase-file', sentence: 'It needs a value.' }] : []
}

/** `ocf identity [backup|restore FILE]`: whose key the running node has; saves it, or takes another one. */
export async function runIdentity(
  needs: { io: CliIo; client: ControlClient },
  options: { action: string | undefined; file: string | undefined; own: Readonly<Record<string, unknown>> },
): Promise<number> {
  const { action, file, own } = options
  if (action === undefined) return show(needs)
  if (action !== 'backup' && action !== 'restore') {
    throw new AppError('invalid_settings', `There is no ${quote(action)}: say backup or restore, and a file.`)
  }
  if (file === undefined) throw new AppError('invalid_settings', `Say which file: \`ocf identity ${action} FILE\`.`)
  const passphrase = readPassphrase(needs.io, own.passphraseFile)
  return action === 'backup' ? backup(needs, { file, passphrase }) : restore(needs, { file, passphrase })
}

async function show({ io, client }: { io: CliIo; client: ControlClient }): Promise<number> {
  const { peerId, seeded, file, nextPeerId } = await client.call('identity.get', {})
  io.stdout.write(`${peerId}\n${seeded ? 'It comes from the setting seed.' : `Its key lies in ${printable(file)}.`}\n`)
  if (nextPeerId !== null) io.stdout.write(`After the next start it is ${nextPeerId}.\n`)
  return EXIT.ok
}

async function backup(
  { io, client }: { io: CliIo; client: ControlClient },
  { file, passphrase }: { file: string; passphrase: string },
): Promise<number> {
  const { text } = await client.call('identity.backup', { passphrase })
  const path = resolve(io.cwd ?? process.cwd(), file)
  try {
    // Never over something that is there: it may be the only backup.
    writeFileSync(path, text, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    throw new AppError('invalid_request', `${path} could not be written: ${reasonOf(error)}.`, { cause: error })
  }
  io.stdout.write(`Saved as ${printable(path)}. Without the passphrase it is useless.\n`)
  return EXIT.ok
}

async function restore(
  { io, client }: { io: CliIo; client: ControlClient },
  { file, passphrase }: { file: string; passphrase: string },
): Promise<number> {
  const text = readTextFile(io, file)
  const { identity, keptAs, people } = await client.call('identity.restore', { text, passphrase })
  if (people > 0)
    io.stdout.write(`${counted(people, 'peer')} of the backup ${people === 1 ? 'is' : 'are'} trusted again.\n`)
  io.stdout.write(
    keptAs === null
      ? `This backup holds the key this node has already.${people === 0 ? ' Nothing was changed.' : ''}\n`
      : `After the next start this node is ${identity.nextPeerId ?? identity.peerId}. The key until now is kept as ${keptAs}.\n`,
  )
  return EXIT.ok
}

function readPassphrase(io: CliIo, file: unknown): string {
  if (typeof file !== 'string') {
    throw new AppError('invalid_settings', 'Say where the passphrase is: --passphrase-file FILE.')
  }
  const passphrase = readTextFile(io, file).replace(/\r?\n$/, '')
  if (passphrase !== '') return passphrase
  throw new AppError('invalid_settings', `${file} holds no passphrase.`)
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EEXIST') return 'it is there already, choose another name'
  return code ?? (error instanceof Error ? error.message : String(error))
}
