// For libp2p 3.3.11: its monitor pings every connection at one interval, in use or not, so a peer that vanished is
// noticed late, or at the price of an idle node's budget. Goes when it watches the connections in use.

import type { Connection } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../../base/clock.js'
import { PassingListeners } from '../../../base/listeners.js'
import type { Log } from '../../../logging/index.js'
import { relayOf } from '../../dial/ip-scope.js'
import {
  acknowledgedWithinMs,
  ANSWER_WITHIN_MS,
  askedNow,
  DeadPeerError,
  heardNow,
  judge,
  MAX_QUEUED_BYTES,
  type Liveness,
} from './dead-peer.js'
import {
  sendBufferOf,
  takenBetween,
  type LivenessProbe,
  type LivenessProbes,
  type SendBuffer,
} from './liveness-probe.js'
import { answersPing } from './pings.js'

/** Watches connections while somebody waits for what comes over them, and cuts those whose other end is gone. */
export interface LivenessWatch {
  /**
   * Watches what `inUse` lists from the next {@link LivenessWatch.wake} on, for as long as it lists anything; returns the
   * way to stop. A connection through a relay brings that to its relay with it.
   */
  follow(inUse: () => Iterable<Connection>): () => void
  /** Something may be in use now. Costs next to nothing. */
  wake(): void
  /** Something asked over this connection was not answered: its other end has to answer a ping now. */
  doubt(connection: Connection): void
  /** Something is sent over this connection now. A transport that acknowledges at once is in doubt when it does not. */
  used(connection: Connection): void
  /** The same peer is connected anew, maybe because this older connection is lost: its other end has to answer soon. */
  superseded(connection: Connection): void
  /** True when there are such connections and each is in doubt: others should be asked until one is heard again. */
  isDoubted(connections: readonly Connection[]): boolean
  /** Calls `listener` with each connection that is most likely lost, before it is cut; returns the way to stop. */
  onSuspect(listener: (connection: Connection) => void): () => void
}

/** What a {@link LivenessWatch} looks at, and who learns of what it cuts. */
export interface LivenessWatchNeeds {
  probes: Pick<LivenessProbes, 'of'>
  connectionsTo(peerId: string): Iterable<Connection>
  /** Called with each connection that was cut. */
  onCut?(connection: Connection): void
  log: Log
  clock?: MonotonicClock
}

const CHECK_EVERY_MS = 1_000
/** An older connection of a peer that is connected anew answers a ping within this, or what waits on it goes on. */
const SUPERSEDED_ANSWERS_MS = 1_000
/** Checks of nothing after which the timer ends: requests that follow each other do not start one each. */
const IDLE_CHECKS = 10

interface Watched {
  probe: LivenessProbe
  liveness: Liveness
  buffer: SendBuffer
}

/** Checks every second while anything is in use, and has no timer otherwise. */
export function createLivenessWatch(needs: LivenessWatchNeeds): LivenessWatch & { stop(): void } {
  return new DeadPeerDetector(needs)
}

class DeadPeerDetector implements LivenessWatch {
  readonly #needs: LivenessWatchNeeds
  readonly #clock: MonotonicClock
  readonly #sources = new Set<() => Iterable<Connection>>()
  readonly #watched = new Map<Connection, Watched>()
  /** Bytes written when a connection was checked last: a request is on its way before it is seen to be in use. */
  readonly #seenBytes = new WeakMap<Connection, number>()
  readonly #doubted = new Set<Connection>()
  /** Those that have to be acknowledged soon, and what was counted when something was sent last. */
  readonly #expected = new Map<Connection, { sentAt: number | bigint; timer: NodeJS.Timeout }>()
  readonly #suspicions = new PassingListeners<[Connection]>()
  #timer: NodeJS.Timeout | undefined
  #checkedAtMs = 0
  #idleChecks = 0

  constructor(needs: LivenessWatchNeeds) {
    this.#needs = needs
    this.#clock = needs.clock ?? monotonicClock
  }

  follow(inUse: () => Iterable<Connection>): () => void {
    this.#sources.add(inUse)
    this.wake()
    return () => this.#sources.delete(inUse)
  }

  wake(): void {
    this.#idleChecks = 0
    if (this.#timer !== undefined) return
    this.#checkedAtMs = this.#clock.elapsedMs()
    this.#timer = setInterval(() => this.#check(), CHECK_EVERY_MS).unref()
  }

  doubt(connection: Connection): void {
    const entry = this.#begin(connection)
    if (entry === undefined || entry.liveness.asked !== undefined) return
    entry.liveness = askedNow(entry.liveness)
    this.#doubted.add(connection)
    entry.probe.ask()
    // QUIC asks unprompted only now and then. What comes of it is heard.
    void answersPing(connection, ANSWER_WITHIN_MS)
    this.wake()
  }

  used(connection: Connection): void {
    const received = this.#needs.probes.of(connection)?.received
    if (received === undefined) return
    const expected = this.#expected.get(connection)
    if (expected === undefined) this.#expectAcknowledgement(connection, received)
    else expected.sentAt = received()
  }

  superseded(connection: Connection): void {
    // Not in doubt before: the new connection may be a short one, by which the peer tries whether this node is reachable.
    void answersPing(connection, SUPERSEDED_ANSWERS_MS).then((isAnswered) => {
      if (!isAnswered && connection.status === 'open') this.#suspect(connection)
    })
  }

  isDoubted(connections: readonly Connection[]): boolean {
    if (this.#doubted.size === 0 || connections.length === 0) return false
    return connections.every((one) => this.#doubted.has(one) || one.status !== 'open')
  }

  onSuspect(listener: (connection: Connection) => void): () => void {
    return this.#suspicions.add(listener)
  }

  /** Goes on until something came in since the last was sent. */
  #expectAcknowledgement(connection: Connection, received: () => number | bigint): void {
    const before = received()
    const withinMs = acknowledgedWithinMs(connection.rtt)
    const dueAtMs = this.#clock.elapsedMs() + withinMs
    const timer = setTimeout(() => {
      const sentAt = this.#expected.get(connection)?.sentAt
      this.#expected.delete(connection)
      if (connection.status !== 'open') {
        this.#doubted.delete(connection)
        return
      }
      const counted = received()
      // A timer that comes late says more about this machine: what came in may not have been counted yet.
      const isLate = this.#clock.elapsedMs() - dueAtMs > withinMs
      if (counted !== before) this.#doubted.delete(connection)
      else if (!isLate) this.#suspect(connection)
      if (counted === sentAt) this.#expectAcknowledgement(connection, received)
    }, withinMs).unref()
    this.#expected.set(connection, { sentAt: before, timer })
  }

  #suspect(connection: Connection): void {
    this.doubt(connection)
    // What is not watched would stay in doubt after it closed.
    if (this.#watched.has(connection)) this.#doubted.add(connection)
    this.#suspicions.notify(connection)
  }

  stop(): void {
    this.#sleep()
    for (const { timer } of this.#expected.values()) clearTimeout(timer)
    this.#expected.clear()
    this.#doubted.clear()
    this.#sources.clear()
    this.#watched.clear()
  }

  #check(): void {
    const now = this.#clock.elapsedMs()
    const sinceLastMs = now - this.#checkedAtMs
    this.#checkedAtMs = now
    const inUse = this.#connectionsInUse()
    const dead: Connection[] = []
    for (const [connection, entry] of this.#watched) {
      if (connection.status !== 'open' || (!inUse.has(connection) && entry.liveness.asked === undefined)) {
        this.#watched.delete(connection)
        this.#doubted.delete(connection)
      } else if (this.#isDead(connection, entry, sinceLastMs)) dead.push(connection)
    }
    for (const connection of inUse) this.#begin(connection)
    for (const connection of dead) this.#cut(connection)
    this.#idleChecks = this.#watched.size === 0 ? this.#idleChecks + 1 : 0
    if (this.#idleChecks >= IDLE_CHECKS) this.#sleep()
  }

  #connectionsInUse(): Set<Connection> {
    const inUse = new Set<Connection>()
    for (const list of this.#sources) for (const connection of list()) inUse.add(connection)
    for (const connection of [...inUse]) {
      const relay = relayOfConnection(connection)
      if (relay !== undefined) for (const below of this.#needs.connectionsTo(relay)) inUse.add(below)
    }
    return inUse
  }

  #begin(connection: Connection): Watched | undefined {
    const known = this.#watched.get(connection)
    if (known !== undefined) return known
    const probe = connection.status === 'open' ? this.#needs.probes.of(connection) : undefined
    if (probe === undefined) return undefined
    probe.takeHeard()
    const buffer = this.#bufferOf(connection, probe)
    const sinceBytes = Math.max(0, buffer.writtenBytes - (this.#seenBytes.get(connection) ?? 0))
    const entry = { probe, liveness: heardNow(Math.min(sinceBytes, MAX_QUEUED_BYTES)), buffer }
    this.#watched.set(connection, entry)
    return entry
  }

  #isDead(connection: Connection, entry: Watched, sinceLastMs: number): boolean {
    const { probe } = entry
    const buffer = this.#bufferOf(connection, probe)
    const { liveness, verdict } = judge(entry.liveness, {
      sinceLastMs,
      isHeard: probe.takeHeard(),
      takenBytes: takenBetween(entry.buffer, buffer),
      writtenBytes: Math.max(0, buffer.writtenBytes - entry.buffer.writtenBytes),
    })
    entry.liveness = liveness
    entry.buffer = buffer
    this.#seenBytes.set(connection, buffer.writtenBytes)
    if (verdict === 'ask') probe.ask()
    if (verdict === 'quiet') this.#touch(connection, probe)
    if (verdict === 'alive') this.#doubted.delete(connection)
    return verdict === 'dead'
  }

  /**
   * The system tells at once that the other end of a TCP connection has ended, and of QUIC only what is sent and not
   * acknowledged: while somebody waits for an answer, something small is.
   */
  #touch(connection: Connection, { received }: LivenessProbe): void {
    if (received === undefined || this.#expected.has(connection)) return
    this.used(connection)
    void answersPing(connection, ANSWER_WITHIN_MS)
  }

  /** What is sent through a relay waits in the buffers of the connection to it. */
  #bufferOf(connection: Connection, probe: LivenessProbe): SendBuffer {
    const own = sendBufferOf(connection)
    const relay = relayOfConnection(connection)
    const below = relay === undefined ? [] : [...this.#needs.connectionsTo(relay)]
    const writtenBelow = below.reduce((sum, one) => sum + sendBufferOf(one).writtenBytes, 0)
    return {
      ...own,
      waitingBytes: own.waitingBytes + probe.unsentBytes(),
      writtenBytes: own.writtenBytes + writtenBelow,
    }
  }

  /** With a relay go the connections through it that are as quiet: their end is reported as what it is. */
  #cut(connection: Connection): void {
    const peerId = connection.remotePeer.toString()
    const entry = this.#watched.get(connection)
    if (entry === undefined) return
    this.#watched.delete(connection)
    this.#doubted.delete(connection)
    for (const [through, { liveness }] of this.#watched) {
      if (liveness.quietMs > 0 && relayOfConnection(through) === peerId) this.#cut(through)
    }
    const address = connection.remoteAddr.toString()
    this.#needs.log.info('a connection in use was cut: its other end stopped answering', {
      peerId,
      address,
      quietMs: Math.round(entry.liveness.quietMs),
    })
    this.#needs.onCut?.(connection)
    connection.abort(new DeadPeerError(relayOf(address) !== undefined))
  }

  #sleep(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

const relayOfConnection = ({ remoteAddr }: Connection): string | undefined => relayOf(remoteAddr.toString())
