import { lstat, readdir, readFile, rm, rmdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleepFor } from 'node:timers/promises'
import { Level } from 'level'
import { AppError } from '#shared/errors.js'
import { shortageError } from '../system-error.js'
import { isRunning, processIdentity, ProcessIdentitySchema } from './process-identity.js'

/** Sole use of a folder by this process. */
export interface FolderLock {
  /** To be called once. */
  release(): Promise<void>
}

const LOCK = 'lock'
const OWNER = 'lock-owner.json'
/** The one file in {@link LOCK} that matters: the system's lock is on it. */
const LOCKED_FILE = 'LOCK'
/** Attempts to take the lock, clearing damage in between; others may be doing the same at this moment. */
const MAX_ATTEMPTS = 20
const MAX_PAUSE_MS = 50
/** An owner writes its process id just after it has taken the lock. */
const OWNER_WAIT_MS = 1_000

/** True for the names this lock puts into the folder. */
export function isLockName(name: string): boolean {
  return name === LOCK || name === OWNER
}

/**
 * Takes the folder for this process. The lock is the one that LevelDB holds on `lock/LOCK` (fcntl; an exclusive handle on
 * Windows): the operating system drops it when the process ends, however it ends. So there is no stale lock to take over,
 * no process id to be fooled by, of two that race exactly one wins, and versions of this program before respect it, too.
 * The database around it holds nothing: where it is damaged, all but the locked file is removed, so that
 * no holder loses the lock. It holds between containers that share the folder, and on network file systems that pass locks on (NFS 4).
 * The file with the owner's process id is only for the sentence of the error.
 * Throws `data_dir_locked`, `disk_full`, `too_many_open_files` or `data_dir_unusable`.
 */
export async function acquireFolderLock(dir: string): Promise<FolderLock> {
  const database = await openLock(dir)
  const ownerFile = join(dir, OWNER)
  const owner = processIdentity(process.pid) ?? { pid: process.pid }
  // On a full disk the sentence is poorer; the lock holds all the same.
  await writeFile(ownerFile, JSON.stringify(owner), { mode: 0o600 }).catch(() => undefined)
  return {
    async release() {
      await rm(ownerFile, { force: true })
      await database.close()
    },
  }
}

async function openLock(dir: string): Promise<Level> {
  for (let attempt = 1; ; attempt += 1) {
    const database = new Level(join(dir, LOCK))
    try {
      await database.open()
      return database
    } catch (error) {
      const { code, message } = causeOf(error)
      if (code === 'LEVEL_LOCKED' && !/no locks available|not supported/i.test(message)) throw await lockedError(dir)
      // What the disk or the system lacks says nothing against the lock.
      const shortage = shortageError(error, dir)
      if (shortage !== undefined) throw shortage
      if (attempt === MAX_ATTEMPTS || code === 'LEVEL_LOCKED') throw unusableError(dir, message, error)
      await clearDamage(join(dir, LOCK)).catch(() => undefined)
      await sleepFor(Math.random() * MAX_PAUSE_MS)
    }
  }
}

/**
 * Removes everything but the locked file: without that, two could hold the lock of the same name. Another process may have
 * mended the same damage meanwhile: so what should be a folder is never removed as one, and the other way round.
 */
async function clearDamage(lock: string): Promise<void> {
  if (!(await lstat(lock)).isDirectory()) {
    await unlink(lock)
    return
  }
  for (const name of await readdir(lock)) {
    if (name !== LOCKED_FILE) await rm(join(lock, name), { recursive: true, force: true })
    else if ((await lstat(join(lock, name))).isDirectory()) await clearFolder(join(lock, name))
  }
}

async function clearFolder(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true, force: true })
  await rmdir(dir)
}

function causeOf(error: unknown): { code: unknown; message: string } {
  let cause = error
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  if (!(cause instanceof Error)) return { code: undefined, message: String(cause) }
  return { code: 'code' in cause ? cause.code : undefined, message: cause.message }
}

async function lockedError(dir: string): Promise<AppError> {
  const pid = await ownerPid(dir)
  const owner = pid === undefined ? 'another running node' : `another running node (pid ${pid})`
  return new AppError('data_dir_locked', `${dir} is used by ${owner}. Stop it or pass another --data-dir.`)
}

/** The process id the owner has left; undefined when it leaves none in time. */
async function ownerPid(dir: string): Promise<number | undefined> {
  const deadline = performance.now() + OWNER_WAIT_MS
  for (;;) {
    const pid = livingOwner(await readFile(join(dir, OWNER), 'utf8').catch(() => ''))
    if (pid !== undefined || performance.now() > deadline) return pid
    await sleepFor(MAX_PAUSE_MS)
  }
}

/** The file may be that of an owner before, whose number another process has now. Older versions noted the number alone. */
function livingOwner(text: string): number | undefined {
  try {
    const owner: unknown = JSON.parse(text)
    const identity = ProcessIdentitySchema.safeParse(owner)
    if (identity.success) return isRunning(identity.data) ? identity.data.pid : undefined
    const { pid } = ProcessIdentitySchema.pick({ pid: true }).parse(owner)
    process.kill(pid, 0)
    return pid
  } catch {
    return undefined
  }
}

function unusableError(dir: string, reason: string, cause: unknown): AppError {
  return new AppError(
    'data_dir_unusable',
    `The lock of the data folder ${dir} cannot be taken (${reason}). Check its permissions, that the disk has room and ` +
      'that its file system has locks, or pass another folder with --data-dir.',
    { cause },
  )
}
