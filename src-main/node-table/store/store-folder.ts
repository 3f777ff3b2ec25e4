import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Level } from 'level'
import type { DatabaseOptions } from 'level'
import { LeveldbPersistence } from 'y-leveldb'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { damagedTableFile } from './table-files.js'

/** An open y-leveldb whose calls reject when they fail; its own would print a warning and resolve `null`. */
export interface OpenStore {
  persistence: LeveldbPersistence
  /** Waits for what is under way, and gives the folder free. */
  close(): Promise<void>
}

/** The folder of the table's store: opens it, and moves it aside where it is damaged. */
export interface StoreFolder {
  /**
   * Opens the store, or an empty one in the place of a damaged one.
   * @throws AppError `data_dir_locked` when another process has it open, `data_dir_unusable` when it can't be used
   * @returns `undefined` when the disk is full
   */
  open(): Promise<OpenStore | undefined>
  /** Says that the store was read and the process lives. */
  confirmRead(): void
  /** Closes a store that can't be read, moves it aside, and opens an empty one. */
  replace(store: OpenStore, error: unknown): Promise<OpenStore | undefined>
}

const MAX_KEPT_CORRUPT = 3

/** The store in `folder`, which need not exist. */
export function createStoreFolder(needs: { log: Log; clock: Clock }, folder: string): StoreFolder {
  const { log, clock } = needs
  /**
   * Stands while the store is being read. Some damages make LevelDB abort the process (an assertion, measured); what
   * the checksums do not show of them, a mark found at a start does: reading killed the process before.
   */
  const readingMark = `${folder}.reading`

  function moveAside(error: unknown): void {
    const aside = `${folder}.corrupt-${clock.now()}`
    log.warn('the node table on disk can’t be read: it was moved aside, and the table starts empty', { aside, error })
    renameSync(folder, aside)
    for (const old of corruptFolders(folder).slice(0, -MAX_KEPT_CORRUPT)) rmSync(old, { recursive: true, force: true })
  }

  async function openOrMoveAside(): Promise<OpenStore> {
    try {
      return await openLevel(folder)
    } catch (error) {
      if (failureOf(error) !== 'corrupt') throw error
      moveAside(error)
      return await openLevel(folder)
    }
  }

  async function openUndamaged(): Promise<OpenStore> {
    const damaged = existsSync(folder) ? await damagedTableFile(folder) : undefined
    const store = await openOrMoveAside()
    // Only now is it certain that no other process is just writing it.
    if (damaged !== undefined) return await closeAndReplace(store, new Error(`${damaged} is damaged`))
    // Only looked at once the lock is ours: another node may be reading just now.
    if (!existsSync(readingMark)) {
      writeFileSync(readingMark, '')
      return store
    }
    return await closeAndReplace(store, new Error('the process died while it read the table'))
  }

  async function closeAndReplace(store: OpenStore, error: unknown): Promise<OpenStore> {
    await store.close()
    moveAside(error)
    return await openOrMoveAside()
  }

  async function orAppError(opening: Promise<OpenStore>): Promise<OpenStore | undefined> {
    try {
      return await opening
    } catch (error) {
      if (failureOf(error) !== 'full') throw unusable(folder, error)
      log.warn('the disk is full: the node table is kept in memory only', { folder })
      return undefined
    }
  }

  return {
    open: () => orAppError(openUndamaged()),
    confirmRead: () => rmSync(readingMark, { force: true }),
    replace: (store, error) => orAppError(closeAndReplace(store, error)),
  }
}

/** Opens the Level under y-leveldb and waits for it: y-leveldb itself would take a locked one for an empty one. */
async function openLevel(folder: string): Promise<OpenStore> {
  mkdirSync(dirname(folder), { recursive: true })
  const opened: Level[] = []
  // y-leveldb says `new Level(…)`; a constructor that returns an object gives that object.
  function WatchedLevel(location: string, levelOptions: DatabaseOptions<string, string>): Level {
    const level = new Level(location, levelOptions)
    opened.push(level)
    return level
  }
  // Compressed, each write to a large table costs as much as reading it (measured: 17 ms against 0.2).
  const persistence = new LeveldbPersistence(folder, { Level: WatchedLevel, levelOptions: { compression: false } })
  const [db] = opened
  if (db === undefined) throw new Error('y-leveldb did not open its store')
  let last: Promise<unknown> = Promise.resolve()
  persistence._transact = (transaction) => {
    const result = last.then(() => transaction(db))
    // Whoever asked for it hears of a failure; the next in the queue only has to wait for the end.
    last = result.catch(() => undefined)
    return result
  }
  await db.open()
  return {
    persistence,
    async close() {
      await last
      await db.close()
    },
  }
}

function failureOf(error: unknown): 'locked' | 'corrupt' | 'full' | 'other' {
  const cause: unknown = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'LEVEL_LOCKED') return 'locked'
  // A file that the others name and a power cut took with it; the folder itself is there or would have been made.
  const isMissing = code === 'LEVEL_IO_ERROR' && cause instanceof Error && /no such file/i.test(cause.message)
  if (code === 'LEVEL_CORRUPTION' || isMissing) return 'corrupt'
  return cause instanceof Error && /no space left/i.test(cause.message) ? 'full' : 'other'
}

function unusable(folder: string, cause: unknown): AppError {
  return failureOf(cause) === 'locked'
    ? new AppError(
        'data_dir_locked',
        `The data folder ${dirname(folder)} is in use by another node. Stop that one, or give this one its own folder with --data-dir.`,
        { cause },
      )
    : new AppError(
        'data_dir_unusable',
        `The node table in ${folder} can't be opened. Check that the folder can be written to and the disk has room, or choose another with --data-dir.`,
        { cause },
      )
}

function corruptFolders(folder: string): string[] {
  const parent = dirname(folder)
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((path) => path.startsWith(`${folder}.corrupt-`))
    .sort()
}
