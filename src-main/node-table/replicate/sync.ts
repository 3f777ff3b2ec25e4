import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Log } from '../../logging/index.js'
import { SYNC_PROTOCOL } from '../constants.js'
import { createFrameStream } from '../wire/frame-stream.js'
import { initiateSync, respondToSync } from './sync-session.js'
import type { SessionNeeds, SyncOutcome } from './sync-session.js'
import { DIGEST_BYTES } from '../view/table-digest.js'

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
  /** Makes a round due now. */
  hurry(): void
  /** Calls `listener` with what a sync brought. */
  onLearned(listener: (envelopes: readonly Uint8Array[], peerId: string) => void): void
}

/** How often tables are compared without a reason, in ms; rounds of different nodes drift apart by a quarter. */
const ROUND_EVERY_MS = 60_000
const PEERS_PER_ROUND = 2
/** A client id and a clock, there and back. */
const STATE_BYTES_PER_ROW = 24
const MAX_AT_ONCE = 4
const MAX_WAITING = 256
/** A sync of a whole table over a slow line; a stuck one ends here. */
const SESSION_MS = 60_000
/** Syncs of one peer at one time; above, it gets none. */
const MAX_INBOUND_PER_PEER = 4
/** One sync in so many is done in full though the digests agree. */
const FULL_EVERY = 10

/** The sync protocol over the host's libp2p. */
export function createTableSync(
  needs: SessionNeeds & { libp2p: Libp2p; log: Log },
  options: { roundEveryMs?: number; budgetBytesPerS: number },
): TableSync {
  const { libp2p, view, limits, clock, log } = needs
  const sides: SessionNeeds = needs
  const roundEveryMs = options.roundEveryMs ?? ROUND_EVERY_MS
  const learnedListeners: ((envelopes: readonly Uint8Array[], peerId: string) => void)[] = []
  const speakers = new Map<string, PeerId>()
  const waiting = new Set<string>()
  const outbound = new Map<string, Promise<void>>()
  const inbound = new Map<string, number>()
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let topologyId: string | undefined
  let nextRoundMs = 0
  let sessions = 0

  function connectionTo(peerId: string): Connection | undefined {
    const open = libp2p
      .getConnections(speakers.get(peerId) ?? peerIdFromString(peerId))
      .filter(({ status }) => status === 'open')
    return open.find((connection) => connection.limits === undefined) ?? open[0]
  }

  function settle(peerId: string, outcome: SyncOutcome): void {
    log.debug('compared tables with a peer', { peerId, result: outcome.result, learned: outcome.learned.length })
    if (outcome.learned.length === 0) return
    for (const listener of learnedListeners) listener(outcome.learned, peerId)
  }

  /** Runs one side of a sync on a stream; whatever goes wrong with the stream is an ending, not an error. */
  async function run(
    stream: Stream,
    peerId: string,
    side: (frames: ReturnType<typeof createFrameStream>) => Promise<SyncOutcome>,
  ): Promise<void> {
    const frames = createFrameStream(stream, AbortSignal.any([stopping.signal, AbortSignal.timeout(SESSION_MS)]))
    try {
      const outcome = await side(frames)
      settle(peerId, outcome)
      if (outcome.result === 'same' || outcome.result === 'done') await frames.close()
      else frames.abort(`sync ended: ${outcome.result}`)
    } catch (error) {
      log.debug('a sync broke off', { peerId, error })
      frames.abort('sync broke off')
    }
  }

  function track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => running.delete(tracked))
    running.add(tracked)
    return tracked
  }

  async function syncWith(peerId: string): Promise<void> {
    const connection = connectionTo(peerId)
    if (connection === undefined || limits.isBanned(peerId)) return
    sessions += 1
    const digest = sessions % FULL_EVERY === 0 ? randomBytes(DIGEST_BYTES) : view.digest()
    try {
      const stream = await connection.newStream(SYNC_PROTOCOL, {
        runOnLimitedConnection: true,
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(10_000)]),
      })
      await run(stream, peerId, (frames) => initiateSync(sides, frames, peerId, digest))
    } catch (error) {
      log.debug('could not open a sync with a peer', { peerId, error })
    }
  }

  function startSync(peerId: string): Promise<void> {
    const already = outbound.get(peerId)
    if (already !== undefined) return already
    const work = track(
      syncWith(peerId).finally(() => {
        outbound.delete(peerId)
        startWaiting()
      }),
    )
    outbound.set(peerId, work)
    return work
  }

  function startWaiting(): void {
    for (const peerId of waiting) {
      if (outbound.size >= MAX_AT_ONCE || stopping.signal.aborted) return
      if (outbound.has(peerId)) continue
      waiting.delete(peerId)
      void startSync(peerId)
    }
  }

  function request(peerId: string): void {
    if (stopping.signal.aborted || waiting.size >= MAX_WAITING) return
    waiting.add(peerId)
    startWaiting()
  }

  function answer(stream: Stream, connection: Connection): void {
    const peerId = connection.remotePeer.toString()
    const count = inbound.get(peerId) ?? 0
    if (count >= MAX_INBOUND_PER_PEER || !limits.admit(peerId, 1) || stopping.signal.aborted) {
      stream.abort(new Error('not now'))
      return
    }
    inbound.set(peerId, count + 1)
    const session = run(stream, peerId, (frames) => respondToSync(sides, frames, peerId)).finally(() => {
      const left = (inbound.get(peerId) ?? 1) - 1
      if (left > 0) inbound.set(peerId, left)
      else inbound.delete(peerId)
    })
    void track(session)
  }

  /** Draws until there are enough: a node with a thousand peers does not look at all of them for two. */
  function randomSpeakers(count: number, except: string | undefined): string[] {
    const left = [...speakers.keys()]
    const drawn: string[] = []
    while (drawn.length < count && left.length > 0) {
      const index = Math.floor(Math.random() * left.length)
      const peerId = left[index] ?? ''
      left[index] = left.at(-1) ?? ''
      left.pop()
      if (peerId !== except && connectionTo(peerId) !== undefined) drawn.push(peerId)
    }
    return drawn
  }

  /** In a large table digests hardly ever agree, so each sync costs a state vector both ways. */
  function scheduleRound(): void {
    const affordableMs = ((view.entryCount * STATE_BYTES_PER_ROW * PEERS_PER_ROUND) / options.budgetBytesPerS) * 1000
    nextRoundMs = clock.now() + Math.max(roundEveryMs, affordableMs) * (0.75 + Math.random() / 2)
  }

  return {
    async start() {
      await libp2p.handle(SYNC_PROTOCOL, answer, {
        maxInboundStreams: 64,
        maxOutboundStreams: 64,
        runOnLimitedConnection: true,
      })
      topologyId = await libp2p.register(SYNC_PROTOCOL, {
        notifyOnLimitedConnection: true,
        onConnect(peer, connection) {
          speakers.set(peer.toString(), peer)
          // The other side is told as well; one sync serves both.
          if (connection.direction === 'outbound') request(peer.toString())
        },
        onDisconnect(peer) {
          speakers.delete(peer.toString())
        },
      })
      scheduleRound()
    },
    async stop() {
      if (topologyId !== undefined) {
        libp2p.unregister(topologyId)
        topologyId = undefined
        await libp2p.unhandle(SYNC_PROTOCOL)
      }
      waiting.clear()
      stopping.abort()
      await Promise.all(running)
    },
    request,
    async withRandomPeers(count, except) {
      await Promise.all(randomSpeakers(count, except).map(startSync))
    },
    tick() {
      if (clock.now() < nextRoundMs) return
      scheduleRound()
      for (const peerId of randomSpeakers(PEERS_PER_ROUND, undefined)) request(peerId)
    },
    hurry() {
      nextRoundMs = 0
    },
    onLearned(listener) {
      learnedListeners.push(listener)
    },
  }
}
