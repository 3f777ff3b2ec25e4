import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { MonotonicClock } from '../../base/clock.js'
import { type Bucket, fullBucket, refilled } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import { bestConnection } from '../../p2p/index.js'
import { MIN_PARTIAL_ROWS } from '../budget/gossip-budget.js'
import { bytesOfRounds, PEERS_PER_ROUND, roundEveryMs, SYNCS_ON_CONNECT } from '../budget/sync-plan.js'
import { createFrameStream } from '../wire/sync-frames.js'
import type { FrameStream } from '../wire/sync-frames.js'
import { initiateSync, respondToSync } from './sync-session.js'
import type { SessionNeeds, SyncOutcome } from './sync-session.js'

/** Compares tables with peers: with each that connects, and with two at random about every minute. */
export interface TableSync {
  start(): Promise<void>
  stop(): Promise<void>
  /** Compares tables with a connected peer, now or when its turn comes. */
  request(peerId: string): void
  /** Compares tables with up to `count` random peers. Resolves when all have answered; never rejects. */
  withRandomPeers(count: number, except?: string): Promise<void>
  /** Starts a round when one is due. */
  tick(): void
  /** Whether the budget has something left for comparing tables without a reason of one's own. */
  readonly isAffordable: boolean
  /** Makes a round due now. */
  hurry(): void
  /** Calls `listener` with what a sync brought. */
  onLearned(listener: (envelopes: readonly Uint8Array[], peerId: string) => void): void
}

/** The stream protocol by which two peers compare their tables. */
export const SYNC_PROTOCOL = '/ocf/table-sync/1.0.0'

const MAX_AT_ONCE = 4
const MAX_WAITING = 256
/** A sync of a whole table over a slow line; a stuck one ends here. */
const SESSION_MS = 60_000
/** Syncs of one peer at one time; above, it gets none. */
const MAX_INBOUND_PER_PEER = 4
/** One sync in so many is done in full though the digests agree. */
const FULL_EVERY = 10

/** What {@link createTableSync} works with. */
export interface TableSyncNeeds extends SessionNeeds {
  libp2p: Libp2p
  monotonic: MonotonicClock
  log: Log
}

/** How often and how much tables are compared. */
export interface TableSyncOptions {
  /** The shortest time between two rounds; one minute unless given. */
  roundEveryMs?: number | undefined
  budgetBytesPerS: number
}

/** The sync protocol over the host's libp2p. */
export function createTableSync(needs: TableSyncNeeds, options: TableSyncOptions): TableSync {
  return new PeerSync(needs, options)
}

class PeerSync implements TableSync {
  readonly #needs: TableSyncNeeds
  readonly #libp2p: Libp2p
  readonly #log: Log
  readonly #options: TableSyncOptions
  readonly #learnedListeners: ((envelopes: readonly Uint8Array[], peerId: string) => void)[] = []
  /** Connected peers that speak the protocol. */
  readonly #speakers = new Map<string, PeerId>()
  /** Peers to compare tables with when there is room for another session. */
  readonly #waiting = new Set<string>()
  readonly #outbound = new Map<string, Promise<void>>()
  readonly #inbound = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #topologyId: string | undefined
  #nextRoundMs = 0
  #sessions = 0
  #onConnect: Bucket
  /** Bytes that rounds may still cost; below zero, the next one waits. */
  #rounds: Bucket

  constructor(needs: TableSyncNeeds, options: TableSyncOptions) {
    this.#needs = needs
    this.#libp2p = needs.libp2p
    this.#log = needs.log
    this.#options = options
    const now = needs.monotonic.elapsedMs()
    this.#onConnect = fullBucket(SYNCS_ON_CONNECT, now)
    this.#rounds = fullBucket(bytesOfRounds(options.budgetBytesPerS), now)
  }

  async start(): Promise<void> {
    const onStream = (stream: Stream, connection: Connection): void => this.#answer(stream, connection)
    await this.#libp2p.handle(SYNC_PROTOCOL, onStream, {
      maxInboundStreams: 64,
      maxOutboundStreams: 64,
      runOnLimitedConnection: true,
    })
    this.#topologyId = await this.#libp2p.register(SYNC_PROTOCOL, {
      notifyOnLimitedConnection: true,
      onConnect: (peer, connection) => {
        this.#speakers.set(peer.toString(), peer)
        // The other side hears of it as well; one sync serves both.
        if (connection.direction === 'outbound' && this.#isWorthASync()) this.request(peer.toString())
      },
      onDisconnect: (peer) => {
        this.#speakers.delete(peer.toString())
      },
    })
    this.#scheduleRound()
  }

  async stop(): Promise<void> {
    if (this.#topologyId !== undefined) {
      this.#libp2p.unregister(this.#topologyId)
      this.#topologyId = undefined
      await this.#libp2p.unhandle(SYNC_PROTOCOL)
    }
    this.#waiting.clear()
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  request(peerId: string): void {
    if (this.#stopping.signal.aborted || this.#waiting.size >= MAX_WAITING) return
    this.#waiting.add(peerId)
    this.#startWaiting()
  }

  async withRandomPeers(count: number, except?: string): Promise<void> {
    await Promise.all(this.#randomSpeakers(count, except).map((peerId) => this.#startSync(peerId)))
  }

  tick(): void {
    const now = this.#needs.monotonic.elapsedMs()
    if (now < this.#nextRoundMs) return
    if (!this.isAffordable && this.#nextRoundMs > -Infinity) return
    this.#scheduleRound()
    for (const peerId of this.#randomSpeakers(PEERS_PER_ROUND, undefined)) this.request(peerId)
  }

  get isAffordable(): boolean {
    const now = this.#needs.monotonic.elapsedMs()
    this.#rounds = refilled(this.#rounds, bytesOfRounds(this.#options.budgetBytesPerS), now)
    return this.#rounds.tokens > 0
  }

  hurry(): void {
    this.#nextRoundMs = -Infinity
  }

  onLearned(listener: (envelopes: readonly Uint8Array[], peerId: string) => void): void {
    this.#learnedListeners.push(listener)
  }

  #connectionTo(peerId: string): Connection | undefined {
    return bestConnection(this.#libp2p.getConnections(this.#speakers.get(peerId) ?? peerIdFromString(peerId)))
  }

  #startWaiting(): void {
    for (const peerId of this.#waiting) {
      if (this.#outbound.size >= MAX_AT_ONCE || this.#stopping.signal.aborted) return
      if (this.#outbound.has(peerId)) continue
      this.#waiting.delete(peerId)
      void this.#startSync(peerId)
    }
  }

  #startSync(peerId: string): Promise<void> {
    const already = this.#outbound.get(peerId)
    if (already !== undefined) return already
    const work = this.#track(
      this.#syncWith(peerId).finally(() => {
        this.#outbound.delete(peerId)
        this.#startWaiting()
      }),
    )
    this.#outbound.set(peerId, work)
    return work
  }

  async #syncWith(peerId: string): Promise<void> {
    const connection = this.#connectionTo(peerId)
    if (connection === undefined || this.#needs.limits.isBanned(peerId)) return
    this.#sessions += 1
    const inFull = this.#sessions % FULL_EVERY === 0
    try {
      const stream = await connection.newStream(SYNC_PROTOCOL, {
        runOnLimitedConnection: true,
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(10_000)]),
      })
      await this.#run(stream, peerId, (frames) => initiateSync(this.#needs, frames, peerId, { inFull }))
    } catch (error) {
      this.#log.debug('could not open a sync with a peer', { peerId, error })
    }
  }

  #answer(stream: Stream, connection: Connection): void {
    const peerId = connection.remotePeer.toString()
    const count = this.#inbound.get(peerId) ?? 0
    const isRefused = count >= MAX_INBOUND_PER_PEER || !this.#needs.limits.admit(peerId, 1)
    if (isRefused || this.#stopping.signal.aborted) {
      stream.abort(new Error('not now'))
      return
    }
    this.#inbound.set(peerId, count + 1)
    const session = this.#run(stream, peerId, (frames) => respondToSync(this.#needs, frames, peerId)).finally(() => {
      const left = (this.#inbound.get(peerId) ?? 1) - 1
      if (left > 0) this.#inbound.set(peerId, left)
      else this.#inbound.delete(peerId)
    })
    void this.#track(session)
  }

  /** Runs one side of a sync on a stream; whatever goes wrong with the stream is an ending, not an error. */
  async #run(stream: Stream, peerId: string, side: (frames: FrameStream) => Promise<SyncOutcome>): Promise<void> {
    const frames = createFrameStream(stream, AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(SESSION_MS)]))
    try {
      const outcome = await side(frames)
      this.#settle(peerId, outcome)
      if (outcome.result === 'same' || outcome.result === 'done') await frames.close()
      else frames.abort(`sync ended: ${outcome.result}`)
    } catch (error) {
      this.#log.debug('a sync broke off', { peerId, error })
      frames.abort('sync broke off')
    }
  }

  #settle(peerId: string, { result, learned, bytes }: SyncOutcome): void {
    if (this.#outbound.has(peerId)) this.#rounds = { ...this.#rounds, tokens: this.#rounds.tokens - bytes }
    this.#log.debug('compared tables with a peer', { peerId, result, learned: learned.length })
    if (learned.length === 0) return
    for (const listener of this.#learnedListeners) listener(learned, peerId)
  }

  #track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
    return tracked
  }

  /** Draws until there are enough: a node with a thousand peers does not look at all of them for two. */
  #randomSpeakers(count: number, except: string | undefined): string[] {
    const left = [...this.#speakers.keys()]
    const drawn: string[] = []
    while (drawn.length < count && left.length > 0) {
      const index = Math.floor(Math.random() * left.length)
      const peerId = left[index] ?? ''
      left[index] = left.at(-1) ?? ''
      left.pop()
      if (peerId !== except && this.#connectionTo(peerId) !== undefined) drawn.push(peerId)
    }
    return drawn
  }

  /** A small table is compared with each peer; one that a lookup in a large network connects to has little to add. */
  #isWorthASync(): boolean {
    if (this.#needs.view.entryCount < MIN_PARTIAL_ROWS) return true
    this.#onConnect = refilled(this.#onConnect, SYNCS_ON_CONNECT, this.#needs.monotonic.elapsedMs())
    if (this.#onConnect.tokens < 1) return false
    this.#onConnect = { ...this.#onConnect, tokens: this.#onConnect.tokens - 1 }
    return true
  }

  /** In a large table digests hardly ever agree, so each sync costs a state vector both ways. */
  #scheduleRound(): void {
    const { view, monotonic } = this.#needs
    const { roundEveryMs: everyMs, budgetBytesPerS } = this.#options
    const waitMs = roundEveryMs(view.entryCount, { everyMs, budgetBytesPerS })
    // Rounds of different nodes drift apart.
    this.#nextRoundMs = monotonic.elapsedMs() + waitMs * (0.75 + Math.random() / 2)
  }
}
