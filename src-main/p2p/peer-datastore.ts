import { rename, rm } from 'node:fs/promises'
import { LevelDatastore } from 'datastore-level'
import type { Log } from '../logging/index.js'

/**
 * The store of what libp2p knows about peers, open. It can be learnt again: a broken one is moved aside (one is kept)
 * and an empty one takes its place.
 */
export async function openPeerDatastore(dir: string, log: Log): Promise<LevelDatastore> {
  const datastore = new LevelDatastore(dir)
  try {
    await datastore.open()
    return datastore
  } catch (error) {
    const aside = `${dir}.broken`
    log.warn('the peer store cannot be read; it has been moved aside and starts empty', { dir, aside, error })
    await rm(aside, { recursive: true, force: true })
    await rename(dir, aside)
    const empty = new LevelDatastore(dir)
    await empty.open()
    return empty
  }
}
