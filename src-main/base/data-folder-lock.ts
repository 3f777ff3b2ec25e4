import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { AppError } from '#shared/errors.js'

/** Sole use of a folder by this process. */
export interface FolderLock {
  release(): Promise<void>
}

const LOCK = 'lock'
const OWNER = 'lock-owner.json'

/** True for the names this lock puts into the folder. */
export function isLockName(name: string): boolean {
  return name === LOCK || name === OWNER
}

/**
 * Takes the folder for this process. The lock is that of an (always empty) LevelDB database: the operating system holds
 * it for the process and drops it when the process ends, however it ends. So there is no stale lock to take over, no
 * process id to be fooled by, and of two that race exactly one wins. The file with the owner's process id is only for
 * the sentence of the error. Throws `data_dir_locked` or `data_dir_unusable`.
 */
export async function acquireFolderLock(dir: string): Promise<FolderLock> {
  const database = new Level(join(dir, LOCK))
  try {
    await database.open()
  } catch (error) {
    throw isHeldByAnother(error) ? await lockedError(dir) : brokenError(dir, error)
  }
  const ownerFile = join(dir, OWNER)
  await writeFile(ownerFile, JSON.stringify({ pid: process.pid }), { mode: 0o600 })
  return {
    async release() {
      await rm(ownerFile, { force: true })
      await database.close()
    },
  }
}

function isHeldByAnother(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && cause.code === 'LEVEL_LOCKED') return true
  }
  return false
}

async function lockedError(dir: string): Promise<AppError> {
  const pid = await ownerPid(dir)
  const owner = pid === undefined ? 'another running node' : `another running node (pid ${pid})`
  return new AppError('data_dir_locked', `${dir} is used by ${owner}. Stop it or pass another --data-dir.`)
}

/** The process id the owner left, when that process lives: the file may be that of an owner before. */
async function ownerPid(dir: string): Promise<number | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(join(dir, OWNER), 'utf8'))
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || typeof owner.pid !== 'number')
      return undefined
    process.kill(owner.pid, 0)
    return owner.pid
  } catch {
    return undefined
  }
}

function brokenError(dir: string, error: unknown): AppError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AppError(
    'data_dir_unusable',
    `The lock of the data folder ${dir} cannot be taken (${reason}). If no other node runs, remove ${join(dir, LOCK)} ` +
      'and start again.',
    { cause: error },
  )
}
