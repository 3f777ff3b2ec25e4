import type { Level } from 'level'
import { getLevelUpdates } from 'y-leveldb'
import type { Log } from '../../logging/index.js'
import type { OpenStore, StoreFolder } from './store-folder.js'

/**
 * The table on disk: canonical updates, one Yjs document per epoch, in y-leveldb. A cache: what is lost is synced
 * again, so a store that can't be read is moved aside, and one that can't be written costs nothing but itself.
 */
export interface TableStore {
  /** The updates of an epoch, oldest first. */
  load(epoch: number): Promise<Uint8Array[]>
  /** Says that all has been read and the process lives; a start that does not get here costs the store. */
  confirmRead(): void
  /** Queues an update. A failing disk is logged once. */
  append(epoch: number, update: Uint8Array): void
  /** Puts one update in the place of all of an epoch's. */
  replace(epoch: number, update: Uint8Array): Promise<void>
  /** True when an epoch should be replaced by one update: it has many or large ones, or some were not written. */
  needsReplacing(epoch: number): boolean
  /** Drops the documents of all epochs but these. */
  keepOnly(oldest: number, newest: number): Promise<void>
  /** Waits for what was queued, and closes. */
  close(): Promise<void>
}

/** Updates of an epoch on disk before they become one. */
const MAX_UPDATES = 500
/** Bytes of an epoch's updates on disk before they become one, and before no more are added until they have. */
const MUCH_APPENDED_BYTES = 16 * 1024 * 1024
const MAX_APPENDED_BYTES = 64 * 1024 * 1024
/** Updates that wait for a slow disk; what comes then is written with the next {@link TableStore.replace}. */
const MAX_QUEUED = 64

/** A Level as there is one outside of browsers. */
interface Compactable extends Level<unknown, Uint8Array> {
  compactRange(first: unknown, last: unknown): Promise<void>
}

/** Opens the store of a folder; throws what {@link StoreFolder.open} throws. */
export async function openTableStore(needs: { log: Log; storeFolder: StoreFolder }): Promise<TableStore> {
  const { log, storeFolder } = needs
  let store = await storeFolder.open()
  const updateCounts = new Map<number, number>()
  const appendedBytes = new Map<number, number>()
  const incomplete = new Set<number>()
  let queued = 0
  let isFailing = false

  /** Writes; a failure is logged once until a write succeeds again. Returns whether it succeeded. */
  async function attempt(write: (open: OpenStore) => Promise<unknown>): Promise<boolean> {
    if (store === undefined) return false
    try {
      await write(store)
      if (isFailing) log.info('the node table is written to disk again')
      isFailing = false
    } catch (error) {
      if (!isFailing) log.warn('the node table can’t be written to disk; the node goes on without', { error })
      isFailing = true
    }
    return !isFailing
  }

  async function attemptFor(epoch: number, write: (open: OpenStore) => Promise<unknown>): Promise<void> {
    if (!(await attempt(write))) incomplete.add(epoch)
  }

  return {
    async load(epoch) {
      if (store === undefined) return []
      try {
        const { persistence } = store
        const updates = await persistence._transact((db: unknown) => getLevelUpdates(db, documentName(epoch)))
        updateCounts.set(epoch, updates.length)
        return updates
      } catch (error) {
        store = await storeFolder.replace(store, error)
        return []
      }
    },
    confirmRead: () => storeFolder.confirmRead(),
    append(epoch, update) {
      const sizeBytes = (appendedBytes.get(epoch) ?? 0) + update.byteLength
      if (queued >= MAX_QUEUED || sizeBytes > MAX_APPENDED_BYTES) {
        incomplete.add(epoch)
        return
      }
      queued += 1
      appendedBytes.set(epoch, sizeBytes)
      updateCounts.set(epoch, (updateCounts.get(epoch) ?? 0) + 1)
      void attemptFor(epoch, ({ persistence }) => persistence.storeUpdate(documentName(epoch), update)).finally(
        () => (queued -= 1),
      )
    },
    async replace(epoch, update) {
      const isMuch = (appendedBytes.get(epoch) ?? 0) > MUCH_APPENDED_BYTES
      incomplete.delete(epoch)
      updateCounts.set(epoch, 1)
      appendedBytes.delete(epoch)
      await attemptFor(epoch, async ({ persistence }) => {
        const name = documentName(epoch)
        const stored = await persistence.storeUpdate(name, update)
        // Only now: a process that dies in between finds both.
        await persistence._transact(async (db: Compactable) => {
          const [first, last] = [0, stored].map((clock) => ['v1', name, 'update', clock])
          await db.clear({ gte: first, lt: last })
          // LevelDB would keep the room of what is gone until it has reason to tidy up.
          if (isMuch) await db.compactRange(first, last)
        })
      })
    },
    needsReplacing: (epoch) =>
      incomplete.has(epoch) ||
      (updateCounts.get(epoch) ?? 0) > MAX_UPDATES ||
      (appendedBytes.get(epoch) ?? 0) > MUCH_APPENDED_BYTES,
    async keepOnly(oldest, newest) {
      const isKept = (epoch: number): boolean => epoch >= oldest && epoch <= newest
      await attempt(async ({ persistence }) => {
        for (const name of await persistence.getAllDocNames()) {
          if (!isKept(epochOfDocument(name))) await persistence.clearDocument(name)
        }
      })
      for (const epoch of [...updateCounts.keys(), ...incomplete]) {
        if (isKept(epoch)) continue
        updateCounts.delete(epoch)
        appendedBytes.delete(epoch)
        incomplete.delete(epoch)
      }
    },
    async close() {
      await store?.close()
      store = undefined
    },
  }
}

function documentName(epoch: number): string {
  return `nodes/${epoch}`
}

function epochOfDocument(name: string): number {
  return Number(name.slice('nodes/'.length))
}
