import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/errors.js'
import type { Launch } from './tools.js'

/** Whose folders stand-ins are for. */
interface Person {
  env: Readonly<Record<string, string | undefined>>
  home: string
}

/** Makes a tool's folder and what belongs into it. @throws AppError `invalid_settings` where that is refused */
export function prepareFolder(folder: string, { files, standIns = [] }: Launch, { env, home }: Person): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const { name, text, once } of files) {
      const file = join(folder, name)
      if (once !== true) writeFileSync(file, text, { mode: 0o600 })
      else unlessThere(() => writeFileSync(file, text, { mode: 0o600, flag: 'wx' }))
    }
    for (const { variable, name, usual, own } of standIns) {
      standIn(join(folder, name), env[variable] || join(home, usual), own)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new AppError('invalid_settings', `${folder} can’t be written: ${code ?? message}.`, { cause: error })
  }
}

/** A folder with a link to everything in another one, except what `own` names. */
function standIn(folder: string, original: string, own: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const entry of entriesOf(original)) {
    // A folder that is linked into itself would not end.
    if (entry === own || join(original, entry) === folder || folder.startsWith(join(original, entry, '/'))) continue
    unlessThere(() => link(join(original, entry), join(folder, entry)))
  }
}

/** Windows lets every user link folders, and files not. */
function link(target: string, path: string): void {
  if (process.platform !== 'win32') symlinkSync(target, path)
  else if (statSync(target).isDirectory()) symlinkSync(target, path, 'junction')
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // There is none, so nothing is missing.
  }
}

function unlessThere(make: () => void): void {
  try {
    make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
