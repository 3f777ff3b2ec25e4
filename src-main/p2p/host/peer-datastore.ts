import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LevelDatastore } from 'datastore-level'
import { shortageError } from '../../base/system-error.js'
import type { Log } from '../../logging/index.js'

/**
 * What LevelDB may hold in memory, bytes. Every connection writes some 7 KB of records that replace each other: with the
 * library's 4 MiB of writes (twice) and 8 MiB of cache, a node grows by that much for hours while it learns nothing.
 */
const LEVEL_MEMORY = { writeBufferSize: 512 * 1024, cacheSize: 512 * 1024 }

/**
 * The store of what libp2p knows about peers, open. It can be learnt again: a broken one is moved aside (one is kept)
 * and an empty one takes its place. Throws `too_many_open_files` or `disk_full`, by which nothing is broken.
 */
export async function openPeerDatastore(dir: string, log: Log): Promise<LevelDatastore> {
  const datastore = new LevelDatastore(dir, LEVEL_MEMORY)
  try {
    await datastore.open()
    return datastore
  } catch (error) {
    const shortage = shortageError(error, dirname(dir))
    if (shortage !== undefined) throw shortage
    const aside = `${dir}.broken`
    log.warn('the peer store cannot be read; it has been moved aside and starts empty', { dir, aside, error })
    await rm(aside, { recursive: true, force: true })
    await rename(dir, aside)
    const empty = new LevelDatastore(dir, LEVEL_MEMORY)
    await empty.open()
    return empty
  }
}
