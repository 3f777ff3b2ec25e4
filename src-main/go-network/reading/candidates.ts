import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { NodeTable } from '../../node-table/index.js'
import type { Host } from '../../p2p/index.js'
import type { GoPeers } from './go-peers.js'
import { type GoRow, isOffering, recordOf } from './go-row.js'
import { type GoProviders, MAX_PROVIDERS } from './providers.js'

/** What {@link Candidates} work with. */
export interface CandidatesNeeds {
  host: Host
  /** Of this node's own network, whose peers sign what they offer: their word counts. */
  table: Pick<NodeTable, 'get'>
  peers: Pick<GoPeers, 'ownRow'>
  providers: GoProviders
  monotonic: MonotonicClock
  log: Log
}

/** Somebody of whom a node said that he offers something. */
interface Candidate {
  peerId: string
  /** Who said so, and where he is said to be reachable if not directly. */
  toldBy: string
  relay: string
  /** What he is said to offer: a change of it is a reason to ask him. */
  said: string
  /** What was said when he was asked last. */
  askedAbout: string
  failures: number
  askedAtMs: number
  dueAtMs: number
  isAsking: boolean
  /** Number of the last round in which somebody listed him. */
  round: number
}

/** Of those who are said to offer something, so many are remembered, and so many asked at a time. */
const MAX_CANDIDATES = 2 * MAX_PROVIDERS
const MAX_AT_ONCE = 8
/** A provider is asked what it offers this often, and sooner where others say that it has changed. */
const ASK_AGAIN_MS = 10 * 60_000
const FIRST_RETRY_MS = 15_000
const MAX_RETRY_MS = 10 * 60_000
/** What others say changes as they like: no provider is asked for it more often than that. */
const MIN_BETWEEN_MS = 10_000

/** Those of whom others say that they offer something: each is asked itself, and counts by what it answers. */
export class Candidates {
  readonly #needs: CandidatesNeeds
  readonly #stopping = new AbortController()
  readonly #candidates = new Map<string, Candidate>()
  readonly #working = new Set<Promise<void>>()
  #asking = 0

  constructor(needs: CandidatesNeeds) {
    this.#needs = needs
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#working)
  }

  #now(): number {
    return this.#needs.monotonic.elapsedMs()
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#working.delete(tracked))
    this.#working.add(tracked)
  }

  /** Takes a row of somebody else's table as what it is: a reason to ask its peer. True where its addresses are wanted. */
  note(row: GoRow, toldBy: string, round: number): boolean {
    const { table, host } = this.#needs
    const said = JSON.stringify(row.service)
    const known = this.#candidates.get(row.id)
    if (known === undefined) {
      const isProvider = row.connected && isOffering(row) && table.get(row.id) === undefined && isPeerId(row.id)
      if (!isProvider || this.#candidates.size >= MAX_CANDIDATES) return false
      this.#candidates.set(row.id, {
        ...{ peerId: row.id, toldBy, relay: row.relay_peer, said, askedAbout: '' },
        ...{ failures: 0, askedAtMs: Number.NEGATIVE_INFINITY, dueAtMs: 0, isAsking: false, round },
      })
      return !host.isConnected(row.id)
    }
    known.round = round
    known.toldBy = toldBy
    known.relay = row.relay_peer
    known.said = said
    if (said !== known.askedAbout && known.failures === 0) askSoon(known)
    return !host.isConnected(row.id) && known.failures > 0
  }

  /** What a stranger says of others' addresses is dialled only as far as the dial policy lets it. */
  async remember(peerId: string, addresses: readonly string[]): Promise<void> {
    const multiaddrs = addresses.flatMap((address) => {
      try {
        return [multiaddr(address)]
      } catch {
        return []
      }
    })
    if (multiaddrs.length > 0) await this.#needs.host.libp2p.peerStore.merge(peerIdFromString(peerId), { multiaddrs })
  }

  /** Whoever nobody lists any more is not asked again; of those that are connected, they themselves say when they go. */
  forgetUnlisted(round: number, rounds = 1): void {
    for (const candidate of this.#candidates.values()) {
      const { peerId, isAsking } = candidate
      if (round - candidate.round < rounds || isAsking) continue
      if (this.#needs.host.isConnected(peerId)) askSoon(candidate)
      else this.#forget(peerId)
    }
  }

  /** Without a node of that network left, its providers stay only while they are connected. */
  dropGone(isAlone: boolean): void {
    const { providers, host, table } = this.#needs
    for (const { peerId } of [...providers.rows()]) {
      // It has signed a row meanwhile, which says more.
      if (table.get(peerId) !== undefined || (isAlone && !host.isConnected(peerId))) this.#forget(peerId)
    }
  }

  #forget(peerId: string): void {
    this.#candidates.delete(peerId)
    this.#needs.providers.drop(peerId)
  }

  /** Asks those that are due, some at a time. */
  askDue(): void {
    const now = this.#now()
    for (const candidate of this.#candidates.values()) {
      if (this.#asking >= MAX_AT_ONCE) return
      if (candidate.isAsking || candidate.dueAtMs > now || this.#stopping.signal.aborted) continue
      candidate.isAsking = true
      this.#asking += 1
      this.#track(
        this.#ask(candidate).finally(() => {
          candidate.isAsking = false
          this.#asking -= 1
          if (!this.#stopping.signal.aborted) this.askDue()
        }),
      )
    }
  }

  /** Has the provider itself say what it offers. */
  async #ask(candidate: Candidate): Promise<void> {
    const { peers, providers, table, host, log } = this.#needs
    const { peerId } = candidate
    candidate.askedAbout = candidate.said
    candidate.askedAtMs = this.#now()
    try {
      await this.#makeReachable(candidate)
      const row = await peers.ownRow(peerId, this.#stopping.signal)
      if (this.#stopping.signal.aborted) return
      candidate.failures = 0
      candidate.dueAtMs = this.#now() + ASK_AGAIN_MS
      const isProvider = row !== undefined && isOffering(row) && table.get(peerId) === undefined
      if (isProvider) providers.take(recordOf(row))
      else providers.drop(peerId)
      log.debug('a provider of the Go network was asked', { peerId, isProvider })
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      candidate.failures += 1
      candidate.dueAtMs = this.#now() + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (candidate.failures - 1))
      if (!host.isConnected(peerId)) providers.drop(peerId)
      log.debug('a provider of the Go network was not reached', { peerId, toldBy: candidate.toldBy, error })
    }
  }

  /** Nothing of a row says where its peer is: where nothing is known, the node that listed it is the way there. */
  async #makeReachable({ peerId, toldBy, relay }: Candidate): Promise<void> {
    if (this.#needs.host.isConnected(peerId) || toldBy === peerId) return
    const over = isPeerId(relay) && relay !== peerId ? [relay, toldBy] : [toldBy]
    await this.remember(
      peerId,
      over.map((relayId) => `/p2p/${relayId}/p2p-circuit`),
    )
  }
}

function askSoon(candidate: Candidate): void {
  candidate.dueAtMs = Math.min(candidate.dueAtMs, candidate.askedAtMs + MIN_BETWEEN_MS)
}

function isPeerId(text: string): boolean {
  try {
    peerIdFromString(text)
    return true
  } catch {
    return false
  }
}
