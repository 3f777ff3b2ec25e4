import type { Stats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '#shared/errors.js'

/** Folders of the data folder that are written below; a link in their place would lead the writing elsewhere. */
const SUB_FOLDERS = ['peers', 'table', 'logs', 'lock']

/**
 * Refuses a data folder that another user of this machine could have prepared, or can change: his settings would run
 * commands as this user, and he could read and replace the identity. On Windows the system's own permissions decide.
 * @throws AppError `data_dir_foreign` for another user's folder and for a link below it, `data_dir_unusable` when others
 * can write to it
 */
export async function assertPrivateFolder(dir: string): Promise<void> {
  const facts = await factsOf(dir, stat)
  if (facts === undefined) return
  if (isOfAnotherUser(facts)) {
    throw new AppError(
      'data_dir_foreign',
      `The folder ${dir} belongs to another user (${facts.uid}), who could read and change what this node keeps. ` +
        'Pass a folder of your own with --data-dir.',
    )
  }
  if (canOthersWrite(facts)) {
    throw new AppError(
      'data_dir_unusable',
      `Other users can write to the folder ${dir}. Take that from them (chmod 700 ${dir}), or pass a new folder inside ` +
        'it with --data-dir.',
    )
  }
  for (const name of SUB_FOLDERS) {
    if ((await factsOf(join(dir, name), lstat))?.isSymbolicLink() !== true) continue
    throw new AppError(
      'data_dir_foreign',
      `${join(dir, name)} is a link, and this node follows none inside its data folder. Remove it, or pass another ` +
        'folder with --data-dir.',
    )
  }
}

/**
 * Refuses a settings file that another user of this machine owns or can change: it can name commands to run.
 * `wasRead`: settings came from it, so that it has to be there.
 * @throws AppError `invalid_settings`
 */
export async function assertPrivateSettings(file: string, wasRead: boolean): Promise<void> {
  const facts = await factsOf(file, stat)
  if (facts === undefined && !wasRead) return
  if (facts === undefined || isOfAnotherUser(facts)) {
    const why = facts === undefined ? 'is gone since it was read' : `belongs to another user (${facts.uid})`
    throw new AppError('invalid_settings', `The settings file ${file} ${why}. Make it your own, or move it away.`)
  }
  if (!canOthersWrite(facts)) return
  throw new AppError(
    'invalid_settings',
    `Other users can write to the settings file ${file}, which can name commands to run. Take that from them: ` +
      `chmod go-w ${file}`,
  )
}

async function factsOf(path: string, look: (path: string) => Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await look(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
}

/** Neither this user's nor the system's. */
function isOfAnotherUser({ uid }: Stats): boolean {
  const own = process.getuid?.()
  return own !== undefined && uid !== own && uid !== 0
}

/**
 * The primary group of a user, which by default only that user is in, counts as the user, and so does the system's. On
 * macOS all users have one primary group.
 */
function canOthersWrite({ mode, gid }: Stats): boolean {
  const own = process.getgid?.()
  if (own === undefined) return false
  const isOwnGroup = gid === 0 || (gid === own && process.platform !== 'darwin')
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isOwnGroup)
}
