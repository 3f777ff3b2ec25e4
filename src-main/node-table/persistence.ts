import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Level } from 'level'
import type { DatabaseOptions } from 'level'
import { getLevelUpdates, LeveldbPersistence } from 'y-leveldb'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../clock.js'
import type { Log } from '../logging/index.js'

/**
 * The table on disk: canonical updates, one Yjs document per epoch, in y-leveldb. A cache: what is lost is synced
 * again, so a store that can't be read is moved aside.
 */
export interface TableStore {
  /** The updates of an epoch, oldest first. */
  load(epoch: number): Promise<Uint8Array[]>
  /** Queues an update; a failing disk is logged once and costs nothing but the cache. */
  append(epoch: number, update: Uint8Array): void
  /** Puts one update in the place of all of an epoch's. */
  replace(epoch: number, update: Uint8Array): Promise<void>
  /** True when an epoch should be replaced by one update: it has many, or some could not be written. */
  needsReplacing(epoch: number): boolean
  dropBefore(epoch: number): Promise<void>
  /** Waits for what was queued, and closes. */
  close(): Promise<void>
}

const MAX_KEPT_CORRUPT = 3
const MAX_UPDATES = 500
const MAX_QUEUED = 64

interface OpenStore {
  persistence: LeveldbPersistence
  db: Level
}

/**
 * Opens the store in `folder`.
 * @throws AppError `data_dir_locked` when another process has it open, `data_dir_unusable` when it can't be used at all
 */
export async function openTableStore(
  needs: { log: Log; clock: Clock },
  options: { folder: string },
): Promise<TableStore> {
  const { log, clock } = needs
  const { folder } = options
  let { persistence, db } = await openOrMoveAside()
  const updateCounts = new Map<number, number>()
  const incomplete = new Set<number>()
  let queued = 0
  let isFailing = false

  async function openOrMoveAside(): Promise<OpenStore> {
    try {
      return await openLevel(folder)
    } catch (error) {
      if (failureOf(error) !== 'corrupt') throw unusable(folder, error)
      moveAside(error)
      return await openLevel(folder).catch((second: unknown) => {
        throw unusable(folder, second)
      })
    }
  }

  function moveAside(error: unknown): void {
    const aside = `${folder}.corrupt-${clock.now()}`
    log.warn('the node table on disk can’t be read: it was moved aside, and the table starts empty', { aside, error })
    try {
      renameSync(folder, aside)
    } catch (cause) {
      throw unusable(folder, cause)
    }
    for (const old of corruptFolders(folder).slice(0, -MAX_KEPT_CORRUPT)) rmSync(old, { recursive: true, force: true })
  }

  /** y-leveldb resolves `null` for every failure; so does this. */
  async function attempt(epoch: number, write: () => Promise<unknown>): Promise<boolean> {
    const result = await write()
    const isDone = result !== null
    if (!isDone) incomplete.add(epoch)
    if (!isDone && !isFailing) log.warn('the node table can’t be written to disk; the node goes on without', { folder })
    if (isDone && isFailing) log.info('the node table is written to disk again', { folder })
    isFailing = !isDone
    return isDone
  }

  return {
    async load(epoch) {
      const read = (store: LeveldbPersistence): Promise<Uint8Array[] | null> =>
        store._transact((level: unknown) => getLevelUpdates(level, documentName(epoch)))
      const updates = await read(persistence)
      if (updates !== null) {
        updateCounts.set(epoch, updates.length)
        return updates
      }
      await db.close()
      moveAside(new Error('reading it failed'))
      ;({ persistence, db } = await openOrMoveAside())
      return []
    },
    append(epoch, update) {
      if (queued >= MAX_QUEUED) {
        incomplete.add(epoch)
        return
      }
      queued += 1
      updateCounts.set(epoch, (updateCounts.get(epoch) ?? 0) + 1)
      void attempt(epoch, () => persistence.storeUpdate(documentName(epoch), update)).finally(() => (queued -= 1))
    },
    async replace(epoch, update) {
      incomplete.delete(epoch)
      updateCounts.set(epoch, 1)
      await attempt(epoch, async () => {
        const clockOfUpdate = (await persistence.storeUpdate(documentName(epoch), update)) as number | null
        if (clockOfUpdate === null) return null
        return await persistence._transact(async (level: Level<unknown, Uint8Array>) => {
          const key = (clockKey: number): unknown => ['v1', documentName(epoch), 'update', clockKey]
          await level.clear({ gte: key(0), lt: key(clockOfUpdate) })
          return true
        })
      })
    },
    needsReplacing: (epoch) => incomplete.has(epoch) || (updateCounts.get(epoch) ?? 0) > MAX_UPDATES,
    async dropBefore(epoch) {
      const names = (await persistence.getAllDocNames()) as string[] | null
      for (const name of names ?? []) {
        const old = Number(name.split('/')[1])
        if (old >= epoch) continue
        await persistence.clearDocument(name)
        updateCounts.delete(old)
        incomplete.delete(old)
      }
    },
    async close() {
      await persistence.tr
      await db.close()
    },
  }
}

function documentName(epoch: number): string {
  return `nodes/${epoch}`
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
  await db.open()
  return { persistence, db }
}

function failureOf(error: unknown): 'locked' | 'corrupt' | 'other' {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'LEVEL_LOCKED') return 'locked'
  return code === 'LEVEL_CORRUPTION' ? 'corrupt' : 'other'
}

function unusable(folder: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause
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
  if (!existsSync(parent)) return []
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((path) => path.startsWith(`${folder}.corrupt-`))
    .sort()
}
