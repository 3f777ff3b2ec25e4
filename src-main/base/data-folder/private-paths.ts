import type { Dirent, Stats } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { AppError } from '#shared/errors.js'

/** They may be links: what they lead to is examined by {@link assertPrivateSettings}. */
const MAY_BE_LINKS = ['config.yaml', 'config.yml', 'config.json']

/**
 * Refuses a data folder that another user of this machine could have prepared, or can change or replace: his settings
 * would run commands as this user, and he could read and replace the identity. On Windows the system's own permissions
 * decide.
 * @throws AppError `data_dir_foreign` for what belongs to another user and for a link inside it, `data_dir_unusable` when
 * others can write to it or could put another in its place
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
      `Other users can write to the folder ${dir}. Take that from them (chmod 700 ${dir}), or pass another folder with ` +
        '--data-dir.',
    )
  }
  const canOthersEnter = process.getuid !== undefined && (facts.mode & 0o011) !== 0
  for (const entry of await entriesOf(dir)) await assertOwnEntry(dir, entry, canOthersEnter)
}

/** Links lead the writing elsewhere; a file of another user can be changed by him. Files of LevelDB are one level below. */
async function assertOwnEntry(dir: string, entry: Dirent, canOthersEnter: boolean): Promise<void> {
  const path = join(dir, entry.name)
  if (MAY_BE_LINKS.includes(entry.name)) return
  const below = entry.isDirectory() ? await entriesOf(path) : []
  const link = entry.isSymbolicLink() ? entry : below.find((each) => each.isSymbolicLink())
  if (link !== undefined) {
    throw new AppError(
      'data_dir_foreign',
      `${join(link.parentPath, link.name)} is a link, and this node follows none inside its data folder. Remove it, or ` +
        'pass another folder with --data-dir.',
    )
  }
  const facts = await factsOf(path, lstat)
  if (facts === undefined) return
  if (isOfAnotherUser(facts)) {
    throw new AppError(
      'data_dir_foreign',
      `${path} belongs to another user (${facts.uid}), who could change it. Make it your own (chown), or move it away.`,
    )
  }
  if (canOthersEnter && canOthersWrite(facts)) {
    throw new AppError(
      'data_dir_unusable',
      `Other users can write to ${path}. Take that from them: chmod -R go-w ${dir}`,
    )
  }
}

/**
 * Refuses a data folder that another user could replace as a whole: every folder above it, up to this user's home or the
 * root, belongs to this user or the system, and others can write to none, unless they can only add to it (`/tmp`).
 * @throws AppError `data_dir_foreign`, `data_dir_unusable`
 */
export async function assertPrivateParents(dir: string): Promise<void> {
  const parent = await firstOpenParent(dir)
  if (parent === undefined) return
  throw parent.owner === undefined
    ? new AppError(
        'data_dir_unusable',
        `Other users can write to ${parent.path}, and could put another folder in the place of ${dir}. Take that from ` +
          `them (chmod go-w ${parent.path}), or pass another folder with --data-dir.`,
      )
    : new AppError(
        'data_dir_foreign',
        `${parent.path} belongs to another user (${parent.owner}), who could put another folder in the place of ${dir}. ` +
          'Pass a folder in your home with --data-dir.',
      )
}

/** The first folder above `path` in which others could put something else in its place; `owner`: as it is theirs. */
async function firstOpenParent(path: string): Promise<{ path: string; owner: number | undefined } | undefined> {
  const real = await realpath(path).catch(() => path)
  const parents = new Set([...parentsOf(resolve(path)), ...parentsOf(real)])
  for (const parent of parents) {
    const facts = await factsOf(parent, stat)
    if (facts === undefined) continue
    if (isOfAnotherUser(facts)) return { path: parent, owner: facts.uid }
    if (canOthersWrite(facts) && (facts.mode & STICKY) === 0) return { path: parent, owner: undefined }
  }
  return undefined
}

/** With it, only the owner of an entry may rename or remove it. */
const STICKY = 0o1000

function parentsOf(path: string): string[] {
  const parent = dirname(path)
  if (parent === path) return []
  return parent === homedir() ? [parent] : [parent, ...parentsOf(parent)]
}

async function entriesOf(dir: string): Promise<Dirent[]> {
  try {
    return await readdir(dir, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/**
 * Refuses a settings file that another user of this machine owns, or can change or replace: it can name commands to run.
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
  const parent = await firstOpenParent(file)
  if (parent !== undefined) {
    throw new AppError(
      'invalid_settings',
      `Other users could put another file in the place of the settings file ${file}, as ` +
        (parent.owner === undefined ? 'they can write to' : `one of them (${parent.owner}) owns`) +
        ` ${parent.path}. Move the file into your home, or take that from them.`,
    )
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
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
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
