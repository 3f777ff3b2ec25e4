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

/** A record that is at every limit of the peer store is smaller; a larger one is from before there were limits. */
const MAX_RECORD_BYTES = 48 * 1024
/** As many again may be written while the node runs. */
const MAX_STORED_PEERS = 4096

/** Where the DHTs kept what others published; it is kept in memory now. */
const FORMER_RECORDS = ['/dht-lan', '/dht-wan']

/**
 * The store of what libp2p knows about peers, open. It can be learnt again: a broken one is moved aside (one is kept)
 * and an empty one takes its place. Peers beyond what is kept, and records beyond what one may have, are dropped.
 * Throws `too_many_open_files` or `disk_full`, by which nothing is broken.
 */
export async function openPeerDatastore(dir: string, log: Log): Promise<LevelDatastore> {
  const datastore = new LevelDatastore(dir, LEVEL_MEMORY)
  try {
    await datastore.open()
    await dropExcess(datastore)
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

async function dropExcess({ db }: LevelDatastore): Promise<void> {
  for (const folder of FORMER_RECORDS) await db.clear(within(folder))
  const excess: string[] = []
  let kept = 0
  for await (const [key, { byteLength }] of db.iterator(within('/peers'))) {
    if (byteLength > MAX_RECORD_BYTES || kept === MAX_STORED_PEERS) excess.push(key)
    else kept += 1
  }
  await db.batch(excess.map((key) => ({ type: 'del', key })))
}

/** Keys below a folder: `0` is what follows on `/`. */
const within = (folder: string): { gte: string; lt: string } => ({ gte: `${folder}/`, lt: `${folder}0` })
