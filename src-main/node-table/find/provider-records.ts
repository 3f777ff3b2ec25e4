import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import type { PeerRecord } from '#shared/records.js'
import type { MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { Host } from '../../p2p/index.js'

/**
 * This node's provider records in the DHT: one per entry it offers. Whoever has only a part of the table finds it by
 * them. Others keep a record for two days; it says no more than "ask this peer", so a stale one costs a question.
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
const MAX_RECORDS = 256
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
  /** Tries that failed since the last that did not; each doubles the wait for the next. */
  failures: number
}

/** The key under which providers of an entry stand in the DHT. */
function providerKey(service: string, entry: string): CID {
  const digest = createHash('sha256').update(`ocf-provider-v1|${service}|${entry}`).digest()
  return CID.createV1(RAW_CODEC, Digest.create(SHA2_256, digest))
}

/** Provider records over the host's content routing; does nothing where the host has none. */
export function createProviderRecords(needs: { host: Host; monotonic: MonotonicClock; log: Log }): ProviderRecords {
  const { host, monotonic, log } = needs
  const stopping = new AbortController()
  /** By `service` and `entry`. */
  const wanted = new Map<string, Wanted>()
  let publishing: Promise<void> | undefined
  let hasRouting = true

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

  return {
    offer(record) {
      const names = new Set(entriesOf(record).slice(0, MAX_RECORDS))
      for (const [name, { key }] of wanted) {
        if (names.has(name)) continue
        wanted.delete(name)
        void attempt((signal) => host.libp2p.contentRouting.cancelReprovide(key, { signal }))
      }
      for (const name of names) {
        if (wanted.has(name)) continue
        const [service = '', entry = ''] = name.split('\n')
        wanted.set(name, { key: providerKey(service, entry), publishedAtMs: -Infinity, told: new Map(), failures: 0 })
      }
    },
    tick: startPublishing,
    async *find(service, entry, signal) {
      if (!hasRouting) return
      try {
        const ended = AbortSignal.any([stopping.signal, signal])
        for await (const { id } of host.libp2p.contentRouting.findProviders(providerKey(service, entry), {
          signal: ended,
        })) {
          yield id.toString()
        }
      } catch (error) {
        // Out of time, or nobody there to ask: what was found until then is the answer.
        log.debug('a lookup in the DHT ended', { service, entry, error })
      }
    },
    async stop() {
      stopping.abort()
      await publishing
    },
  }
}

function entriesOf(record: PeerRecord | undefined): string[] {
  return (record?.service ?? [])
    .filter(({ status }) => status === 'connected')
    .flatMap(({ name, identity_group }) => identity_group.map((entry) => `${name}\n${entry}`))
}
