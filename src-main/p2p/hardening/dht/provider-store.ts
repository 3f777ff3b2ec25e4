// For @libp2p/kad-dht 16.4.5: it writes a record to the disk for every key that anyone sends, keeps it for two days, and
// answers with all of a key's; one whose peer the peer store has forgotten makes every answer for its key fail. Goes when
// provider records are bounded by sender and in all.

import { NotFoundError } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { sourceOf } from '../../dial/ip-scope.js'
import { override } from '../../reach/override.js'

type Datastore = KadDHTComponents['datastore']
type Key = Parameters<Datastore['get']>[0]

/** What one store holds at most. */
export interface ProviderStoreLimits {
  /** Records of one peer: what a node with many models publishes (`MAX_RECORDS`). */
  ofPeer: number
  /** Records of all peers of one source. */
  ofSource: number
  /** Records under one key. */
  ofKey: number
  total: number
  /** Providers in one answer, chosen at random each time. */
  answered: number
}

const LIMITS: ProviderStoreLimits = { ofPeer: 512, ofSource: 4096, ofKey: 512, total: 16_384, answered: 20 }

/** Other records, such as public keys. */
const MAX_OTHERS = 256

interface ProviderRecord {
  key: Key
  value: Uint8Array
  cid: string
  peer: string
  source: string
}

/** What is asked of the rest of libp2p. */
interface Peers {
  /** The address a peer is connected from; undefined for this node, and for one that has left. */
  addressOf(peerId: string): string | undefined
  /** Whether the peer store has anything of it. */
  isKnown(peerId: string): Promise<boolean>
}

/** The records that a DHT keeps for others: in memory, as many as one sender and all together may have. */
export class ProviderStore {
  readonly #records = new Map<string, ProviderRecord>()
  readonly #byKey = new Map<string, Set<ProviderRecord>>()
  readonly #byPeer = new Map<string, Set<ProviderRecord>>()
  readonly #bySource = new Map<string, Set<ProviderRecord>>()
  readonly #others = new Map<string, Uint8Array>()
  readonly #peers: Peers
  readonly #selfId: string
  readonly #limits: ProviderStoreLimits

  constructor(peers: Peers, selfId: string, limits: ProviderStoreLimits = LIMITS) {
    this.#peers = peers
    this.#selfId = selfId
    this.#limits = limits
  }

  /** The datastore of a DHT, with its records kept here. */
  over(datastore: Datastore): Datastore {
    const kept: Partial<Datastore> = {
      put: (key, value) => this.#put(key, value),
      get: (key) => this.#get(key),
      has: (key) => this.#has(key),
      delete: (key) => this.#delete(key),
      query: ({ prefix = '/' }) => this.#query(prefix),
    }
    return override(datastore, kept)
  }

  #put(key: Key, value: Uint8Array): Key {
    const [, kind, cid, peer] = key.list()
    if (kind !== 'provider' || cid === undefined || peer === undefined) this.#putOther(key, value)
    else this.#putRecord({ key, value, cid, peer, source: this.#sourceOf(peer) })
    return key
  }

  #putOther(key: Key, value: Uint8Array): void {
    this.#others.set(key.toString(), value)
    const [oldest] = this.#others.keys()
    if (this.#others.size > MAX_OTHERS && oldest !== undefined) this.#others.delete(oldest)
  }

  #putRecord(record: ProviderRecord): void {
    this.#remove(this.#records.get(record.key.toString()))
    this.#records.set(record.key.toString(), record)
    addTo(this.#byKey, record.cid, record)
    addTo(this.#byPeer, record.peer, record)
    addTo(this.#bySource, record.source, record)
    if (record.peer === this.#selfId) return
    const { ofPeer, ofSource, ofKey, total } = this.#limits
    this.#keepWithin(this.#byPeer.get(record.peer), ofPeer)
    this.#keepWithin(this.#bySource.get(record.source), ofSource)
    const ofSameKey = this.#byKey.get(record.cid)
    if (ofSameKey !== undefined && ofSameKey.size > ofKey) {
      const bySource = Map.groupBy(ofSameKey, ({ source }) => source)
      this.#evictFrom([...bySource.values()].map((records) => new Set(records)))
    }
    if (this.#records.size > total) this.#evictFrom(this.#bySource.values())
  }

  /** The oldest are evicted. */
  #keepWithin(records: Set<ProviderRecord> | undefined, most: number): void {
    const [oldest] = records ?? []
    if (records !== undefined && records.size > most) this.#remove(oldest)
  }

  /** The oldest of the source that has most is evicted; this node's own are kept. */
  #evictFrom(sources: Iterable<ReadonlySet<ProviderRecord>>): void {
    let most: ReadonlySet<ProviderRecord> = new Set()
    for (const records of sources) {
      const [oldest] = records
      if (records.size > most.size && oldest?.peer !== this.#selfId) most = records
    }
    const [oldest] = most
    this.#remove(oldest)
  }

  #remove(record: ProviderRecord | undefined): void {
    if (record === undefined) return
    this.#records.delete(record.key.toString())
    takeFrom(this.#byKey, record.cid, record)
    takeFrom(this.#byPeer, record.peer, record)
    takeFrom(this.#bySource, record.source, record)
  }

  #sourceOf(peer: string): string {
    const address = this.#peers.addressOf(peer)
    return address === undefined ? `peer ${peer}` : sourceOf(address)
  }

  #get(key: Key): Uint8Array {
    const value = this.#records.get(key.toString())?.value ?? this.#others.get(key.toString())
    if (value !== undefined) return value
    throw new NotFoundError('not found')
  }

  #has(key: Key): boolean {
    return this.#records.has(key.toString()) || this.#others.has(key.toString())
  }

  #delete(key: Key): void {
    this.#remove(this.#records.get(key.toString()))
    this.#others.delete(key.toString())
  }

  /** The records of one key, of which an answer has some; or all of them, for the library's own upkeep. */
  async *#query(prefix: string): AsyncGenerator<{ key: Key; value: Uint8Array }> {
    const [, , , cid] = prefix.split('/')
    if (cid === undefined) {
      yield* [...this.#records.values()]
      return
    }
    let left = this.#limits.answered
    for (const record of shuffled(this.#byKey.get(cid) ?? [])) {
      if (left === 0) return
      if (record.peer !== this.#selfId && !(await this.#peers.isKnown(record.peer))) continue
      left -= 1
      yield record
    }
  }
}

function addTo(index: Map<string, Set<ProviderRecord>>, name: string, record: ProviderRecord): void {
  const records = index.get(name)
  if (records === undefined) index.set(name, new Set([record]))
  else records.add(record)
}

function takeFrom(index: Map<string, Set<ProviderRecord>>, name: string, record: ProviderRecord): void {
  const records = index.get(name)
  records?.delete(record)
  if (records?.size === 0) index.delete(name)
}

function shuffled<T>(items: Iterable<T>): T[] {
  const list = [...items]
  for (let index = list.length - 1; index > 0; index -= 1) {
    const other = Math.floor(Math.random() * (index + 1))
    ;[list[index], list[other]] = [list[other] as T, list[index] as T]
  }
  return list
}
