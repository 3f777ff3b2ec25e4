import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import type { PeerRecord } from '#shared/records.js'
import type { MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { Host } from '../../p2p/index.js'
import type { OfferIndex } from '../view/provider-set.js'
import { standsInDht } from './popular.js'
import { lookUpKeys } from './provider-lookup.js'

/**
 * This node's provider records in the DHT: one per entry it offers and key. Nodes that have only a part of the table find
 * it by them. Others keep a record for two days; it says no more than "ask this peer", so a stale one costs a question.
 */
export interface ProviderRecords {
  /** What this node offers now; undefined for nothing. Published soon, in the background. */
  offer(record: PeerRecord | undefined): void
  /** Publishes what is due. */
  tick(): void
  /** Peer ids that say they offer an entry, as they are found, until `signal` ends it. Never rejects. */
  find(service: string, entry: string, signal: AbortSignal): AsyncGenerator<string>
  stop(): Promise<void>
}

const RAW_CODEC = 0x55
const SHA2_256 = 0x12
/** As many entries as one service of a row may have. */
const MAX_ENTRIES = 256
/** As many as others keep of one peer: with more than 128 entries, some stand under fewer keys. */
const MAX_RECORDS = 512
/** Keys of an entry. Ids near one of them are made in seconds; those who would hide a provider have to be near each. */
const KEYS = 4
const REFRESH_MS = 12 * 60 * 60_000
/** A record published to few goes out again when the DHT has twice as many peers, but not more often than this. */
const REPEAT_AFTER_MS = 60_000
/** Peers that keep a record, at most; a DHT with more had those closest to the key among them. */
const ENOUGH_PEERS = 20
const PUBLISH_WITHIN_MS = 30_000

/** A record to be published. */
interface Wanted {
  key: CID
  publishedAtMs: number
  /** DHT → how many peers it had when the record was last published to it. */
  told: Map<string, number>
  /** Attempts that failed since the last that did not; each doubles the wait for the next. */
  failures: number
  service: string
  entry: string
}

/** The keys under which providers of an entry stand in the DHT. Older versions know the first one only. */
function providerKeys(service: string, entry: string): CID[] {
  return Array.from({ length: KEYS }, (_, number) => {
    const kind = number === 0 ? 'ocf-provider-v1' : `ocf-provider-v2|${number}`
    const digest = createHash('sha256').update(`${kind}|${service}|${entry}`).digest()
    return CID.createV1(RAW_CODEC, Digest.create(SHA2_256, digest))
  })
}

/** Provider records over the host's content routing; does nothing where the host has none. */
export function createProviderRecords(needs: {
  host: Host
  /** Who else offers what; absent: nobody. */
  offers?: Pick<OfferIndex, 'providers'>
  /** Whether the table holds only a part of the network; absent: no. */
  isPartial?: () => boolean
  monotonic: MonotonicClock
  log: Log
  /** Numbers in [0, 1); `Math.random` unless given. */
  random?: () => number
}): ProviderRecords {
  const { host, offers, isPartial = () => false, monotonic, log, random = Math.random } = needs
  const stopping = new AbortController()
  /** By key. */
  const wanted = new Map<string, Wanted>()
  let publishing: Promise<void> | undefined
  let hasRouting = true
  /** Decides which of many providers of the same stand in the DHT; the same for all keys of all entries. */
  const draw = random()

  async function attempt(action: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    try {
      await action(AbortSignal.any([stopping.signal, AbortSignal.timeout(PUBLISH_WITHIN_MS)]))
      return true
    } catch (error) {
      if (error instanceof Error && error.name === 'NoContentRoutersError') hasRouting = false
      else log.debug('the DHT did not do what was asked', { error })
      return false
    }
  }

  /** Peers of each DHT that has some. A host without a DHT has none. */
  const dhtPeers = (): { name: string; peers: number }[] => (host.reach?.().dht ?? []).filter(({ peers }) => peers > 0)

  function isDue(item: Wanted, dhts: readonly { name: string; peers: number }[]): boolean {
    const providers = offers?.providers(item.service, item.entry).size ?? 0
    if (!standsInDht(draw, providers, isPartial())) return false
    const agoMs = monotonic.elapsedMs() - item.publishedAtMs
    if (agoMs >= REFRESH_MS) return dhts.length > 0
    if (agoMs < REPEAT_AFTER_MS * 2 ** item.failures) return false
    if (item.failures > 0) return dhts.length > 0
    return dhts.some(({ name, peers }) => {
      const before = item.told.get(name) ?? 0
      return before < ENOUGH_PEERS && peers >= Math.max(1, 2 * before)
    })
  }

  async function publishDue(): Promise<void> {
    for (const item of [...wanted.values()]) {
      const dhts = dhtPeers()
      if (!isDue(item, dhts) || stopping.signal.aborted || !hasRouting) continue
      const isDone = await attempt((signal) => host.libp2p.contentRouting.provide(item.key, { signal }))
      item.publishedAtMs = monotonic.elapsedMs()
      item.failures = isDone ? 0 : item.failures + 1
      if (isDone) item.told = new Map(dhts.map(({ name, peers }) => [name, peers]))
    }
  }

  function startPublishing(): void {
    if (publishing !== undefined || !hasRouting || stopping.signal.aborted || wanted.size === 0) return
    const dhts = dhtPeers()
    if (![...wanted.values()].some((item) => isDue(item, dhts))) return
    publishing = publishDue().finally(() => (publishing = undefined))
  }

  async function* lookUp(key: CID, ended: AbortSignal): AsyncGenerator<string> {
    // One of its own: each lookup listens to it several times.
    const signal = AbortSignal.any([ended])
    try {
      for await (const { id } of host.libp2p.contentRouting.findProviders(key, { signal })) yield id.toString()
    } catch (error) {
      // Out of time, or nobody there to ask: what was found until then is the answer.
      log.debug('a lookup in the DHT ended', { key: key.toString(), error })
    }
  }

  return {
    offer(record) {
      const keys = new Map(keysOf(record).map((named) => [named.key.toString(), named]))
      for (const [name, { key }] of wanted) {
        if (keys.has(name)) continue
        wanted.delete(name)
        void attempt((signal) => host.libp2p.contentRouting.cancelReprovide(key, { signal }))
      }
      for (const [name, named] of keys) {
        if (wanted.has(name)) continue
        wanted.set(name, { ...named, publishedAtMs: -Infinity, told: new Map(), failures: 0 })
      }
    },
    tick: startPublishing,
    async *find(service, entry, signal) {
      if (!hasRouting) return
      const over = new AbortController()
      const ended = AbortSignal.any([stopping.signal, signal, over.signal])
      try {
        yield* lookUpKeys(providerKeys(service, entry).map((key) => () => lookUp(key, ended)))
      } finally {
        over.abort()
      }
    },
    async stop() {
      stopping.abort()
      await publishing
    },
  }
}

/** The first key of every entry, then the others of as many as there is room for. */
function keysOf(record: PeerRecord | undefined): Pick<Wanted, 'key' | 'service' | 'entry'>[] {
  const entries = (record?.service ?? [])
    .filter(({ status }) => status === 'connected')
    .flatMap(({ name: service, identity_group }) =>
      identity_group.map((entry) => providerKeys(service, entry).map((key) => ({ key, service, entry }))),
    )
    .slice(0, MAX_ENTRIES)
  return Array.from({ length: KEYS }, (_, number) => entries.flatMap((keys) => keys.slice(number, number + 1)))
    .flat()
    .slice(0, MAX_RECORDS)
}
