import { chmod, mkdir, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import { acquireFolderLock, isLockName, type FolderLock } from './data-folder/folder-lock.js'
import { assertPrivateFolder, assertPrivateParents } from './data-folder/private-paths.js'
import { shortageError } from './system-error.js'

/** This node's folder: identity, node table, peer store. Held by one process at a time. */
export interface DataFolder {
  readonly dir: string
  /** The absolute path of an entry of the folder. */
  path(name: string): string
  /** Gives the folder free for another process. Idempotent. */
  close(): Promise<void>
}

const MARKER = 'ocf-data.json'
const SETTINGS_FILES = ['config.yaml', 'config.yml', 'config.json']
/** 2: shares have visibilities, which an older version would take for shared with everyone. */
const FORMAT = 2
const MarkerSchema = z.object({ format: z.number().int().positive() })

/** The file of kept chats; what was set aside of it has longer names. */
export const CHATS_FILE = 'chats.bin'
/** What `cleanslate` removes: things that can be rebuilt from the network. Never the identity. */
const REBUILDABLE = ['table', 'peers', 'remembered-peers.json', 'learned-rates.json']

/**
 * Opens the data folder `dir` for this process alone, creating it (mode 0700) when it is missing.
 * With `cleanslate`, what was learnt from the network is removed first, and kept chats; the identity stays.
 * Throws `data_dir_foreign` (not ours, another user's, or of a newer version), `data_dir_locked` (another running node
 * has it), `disk_full`, `too_many_open_files` or `data_dir_unusable` (cannot be created, read or written, or others can
 * write to it).
 */
export async function openDataFolder(dir: string, options: { cleanslate?: boolean } = {}): Promise<DataFolder> {
  await orUnusable(dir, () => assertPrivateParents(dir))
  await orUnusable(dir, () => mkdir(dir, { recursive: true, mode: 0o700 }))
  await orUnusable(dir, () => assertPrivateFolder(dir))
  const format = await checkOwnership(dir)
  if (format === undefined) await orUnusable(dir, () => writeMarker(dir))
  await orUnusable(dir, () => checkWritable(dir))
  const lock = await acquireFolderLock(dir)
  try {
    // An older version must refuse the folder from now on: what is written into it may be more than that understands.
    if (format !== undefined && format < FORMAT) await orUnusable(dir, () => writeMarker(dir))
    if (options.cleanslate === true) {
      await orUnusable(dir, async () => {
        const chats = (await readdir(dir)).filter((name) => name.startsWith(CHATS_FILE))
        for (const name of [...REBUILDABLE, ...chats]) await rm(join(dir, name), { recursive: true, force: true })
      })
    }
  } catch (error) {
    await lock.release()
    throw error
  }
  return folder(dir, lock)
}

function folder(dir: string, lock: FolderLock): DataFolder {
  let closing: Promise<void> | undefined
  return {
    dir,
    path: (name) => join(dir, name),
    close() {
      closing ??= lock.release()
      return closing
    },
  }
}

/** The format the folder is marked with; undefined when it is empty and still has to be marked as ours. */
async function checkOwnership(dir: string): Promise<number | undefined> {
  const names = await orUnusable(dir, () => readdir(dir))
  if (names.includes(MARKER)) {
    return checkFormat(dir, await orUnusable(dir, () => readFile(join(dir, MARKER), 'utf8')))
  }
  // Neither a settings file written before the first start nor what another process of ours may be creating at this
  // very moment makes the folder foreign.
  const foreign = names.filter(
    (name) => !name.startsWith(`${MARKER}.`) && !isLockName(name) && !SETTINGS_FILES.includes(name),
  )
  if (foreign.length === 0) return undefined
  if ((await orUnusable(dir, () => readdir(dir))).includes(MARKER)) return checkOwnership(dir)
  throw new AppError(
    'data_dir_foreign',
    `The folder ${dir} is not empty and was not made by this program (it has no ${MARKER}). ` +
      'Pass an empty or new folder with --data-dir.',
  )
}

function checkFormat(dir: string, text: string): number {
  const marker = MarkerSchema.safeParse(parseJson(text))
  if (!marker.success) {
    throw new AppError(
      'data_dir_foreign',
      `The file ${join(dir, MARKER)} cannot be understood, so this may not be a data folder of this program. ` +
        'Pass another folder with --data-dir.',
    )
  }
  if (marker.data.format > FORMAT) {
    throw new AppError(
      'data_dir_foreign',
      `The data folder ${dir} was written by a newer version of this program (format ${marker.data.format}, this ` +
        `version knows up to ${FORMAT}). Update the program, or pass another folder with --data-dir.`,
    )
  }
  return marker.data.format
}

async function writeMarker(dir: string): Promise<void> {
  const temporary = join(dir, `${MARKER}.${process.pid}`)
  await writeFile(temporary, `${JSON.stringify({ format: FORMAT })}\n`, { mode: 0o600, flush: true })
  await rename(temporary, join(dir, MARKER))
  await chmod(dir, 0o700)
}

async function checkWritable(dir: string): Promise<void> {
  const probe = join(dir, `${MARKER}.${process.pid}.probe`)
  await (await open(probe, 'w', 0o600)).close()
  await unlink(probe)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function orUnusable<T>(dir: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw unusableError(dir, cause)
  }
}

function unusableError(dir: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return (
    shortageError(cause, dir) ??
    new AppError(
      'data_dir_unusable',
      `The data folder ${dir} cannot be used (${reason}). Check its permissions and free space, or pass another ` +
        'folder with --data-dir.',
      { cause },
    )
  )
}
