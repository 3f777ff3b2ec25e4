import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BaseDatastore } from 'datastore-core'
import { LevelDatastore } from 'datastore-level'
import type { Key, KeyQuery, Pair, Query } from 'interface-datastore'
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

/** Bytes of records in memory that lie on the disk too. */
const MAX_CACHED_BYTES = 4 * 1024 * 1024
/** How long a record waits for those that replace it, ms, and bytes that may wait. */
const WRITE_AFTER_MS = 1_000
const MAX_WAITING_BYTES = 256 * 1024

/** Where the DHTs kept what others published; it is kept in memory now. */
const FORMER_RECORDS = ['/dht-lan', '/dht-wan']

/**
 * The store of what libp2p knows about peers, open. It can be learnt again: a broken one is moved aside (one is kept)
 * and an empty one takes its place. Peers beyond what is kept, and records beyond what one may have, are dropped.
 * Throws `too_many_open_files` or `disk_full`, by which nothing is broken.
 */
export async function openPeerDatastore(dir: string, log: Log): Promise<PeerDatastore> {
  const level = new LevelDatastore(dir, LEVEL_MEMORY)
  try {
    await level.open()
    await dropExcess(level)
    return new PeerDatastore(level, log)
  } catch (error) {
    const shortage = shortageError(error, dirname(dir))
    if (shortage !== undefined) throw shortage
    const aside = `${dir}.broken`
    log.warn('the peer store cannot be read; it has been moved aside and starts empty', { dir, aside, error })
    await rm(aside, { recursive: true, force: true })
    await rename(dir, aside)
    const empty = new LevelDatastore(dir, LEVEL_MEMORY)
    await empty.open()
    return new PeerDatastore(empty, log)
  }
}

/**
 * Records in memory in front of LevelDB: libp2p reads and rewrites a peer's some twenty times for each connection, and a
 * look into LevelDB is a change of threads. What was written in the last second may be lost in a crash.
 */
export class PeerDatastore extends BaseDatastore {
  readonly #level: LevelDatastore
  readonly #log: Log
  /** The most recently used last. `undefined`: deleted, and not yet on the disk. */
  readonly #cached = new Map<string, Uint8Array | undefined>()
  #waiting = new Set<string>()
  #onTheirWay: ReadonlySet<string> = new Set()
  #cachedBytes = 0
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  constructor(level: LevelDatastore, log: Log) {
    super()
    this.#level = level
    this.#log = log
  }

  /** Writes out what waits, and closes the database. */
  async close(): Promise<void> {
    await this.#flush()
    await this.#level.close()
  }

  override put(key: Key, value: Uint8Array): Key | Promise<Key> {
    return this.#set(key, value)?.then(() => key) ?? key
  }

  override delete(key: Key): void | Promise<void> {
    return this.#set(key, undefined)
  }

  override get(key: Key): Uint8Array | Promise<Uint8Array> {
    const name = key.toString()
    const value = this.#cached.get(name)
    if (value !== undefined) {
      this.#keep(name, value)
      return value
    }
    return this.#load(key)
  }

  override async has(key: Key): Promise<boolean> {
    const name = key.toString()
    return this.#cached.has(name) ? this.#cached.get(name) !== undefined : await this.#level.has(key)
  }

  override async *_all(query: Query): AsyncGenerator<Pair> {
    await this.#flush()
    yield* this.#level.query(query)
  }

  override async *_allKeys(query: KeyQuery): AsyncGenerator<Key> {
    await this.#flush()
    yield* this.#level.queryKeys(query)
  }

  async #load(key: Key): Promise<Uint8Array> {
    const name = key.toString()
    // Deleted: LevelDB says so in its own words.
    if (this.#cached.has(name)) await this.#flush()
    const value = await this.#level.get(key)
    // Written meanwhile: that is newer.
    if (!this.#cached.has(name)) this.#keep(name, value)
    return this.#cached.get(name) ?? value
  }

  #keep(name: string, value: Uint8Array | undefined): void {
    this.#cachedBytes += (value?.byteLength ?? 0) - (this.#cached.get(name)?.byteLength ?? 0)
    this.#cached.delete(name)
    this.#cached.set(name, value)
    if (this.#cachedBytes > MAX_CACHED_BYTES) this.#evict()
  }

  /** What is not on the disk yet stays. */
  #evict(): void {
    for (const [name, value] of this.#cached) {
      if (this.#cachedBytes <= MAX_CACHED_BYTES) return
      if (this.#waiting.has(name) || this.#onTheirWay.has(name)) continue
      this.#cached.delete(name)
      this.#cachedBytes -= value?.byteLength ?? 0
    }
  }

  /** To be awaited where more waits than may. */
  #set(key: Key, value: Uint8Array | undefined): Promise<void> | undefined {
    const name = key.toString()
    this.#keep(name, value)
    this.#waiting.add(name)
    this.#waitingBytes += value?.byteLength ?? 0
    if (this.#waitingBytes >= MAX_WAITING_BYTES) return this.#flush()
    this.#timer ??= setTimeout(() => void this.#flush(), WRITE_AFTER_MS).unref()
    return undefined
  }

  /** Never rejects: what can't be written can be learnt again. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined))
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#onTheirWay = this.#waiting
      this.#waiting = new Set()
      this.#waitingBytes = 0
      await this.#write([...this.#onTheirWay].map((key) => ({ key, value: this.#cached.get(key) })))
      for (const key of this.#onTheirWay) {
        const isGone = this.#cached.get(key) === undefined && !this.#waiting.has(key)
        if (isGone) this.#cached.delete(key)
      }
      this.#onTheirWay = new Set()
    }
  }

  async #write(changes: readonly { key: string; value: Uint8Array | undefined }[]): Promise<void> {
    try {
      await this.#level.db.batch(
        changes.map(({ key, value }) => (value === undefined ? { type: 'del', key } : { type: 'put', key, value })),
      )
    } catch (error) {
      this.#log.warn('what was learnt about peers cannot be stored', { records: changes.length, error })
    }
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
