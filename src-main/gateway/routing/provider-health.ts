import type { PeerId } from '@libp2p/interface'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import { Listeners } from '../../base/listeners.js'
import { within } from '../../base/within.js'
import type { Log } from '../../logging/index.js'
import { epochStart, type NodeTable, type PeerStatusEvent } from '../../node-table/index.js'
import type { Host } from '../../p2p/index.js'

/**
 * How providers did: peers that can't be reached are left alone for a growing while and probed meanwhile; of peers that
 * are there, single offers are asked last for a while after they failed. This orders who is asked and forbids nobody.
 */
export interface ProviderHealth extends Service {
  /** False while the peer is in quarantine, or says that it takes no requests. */
  isRoutable(peerId: string): boolean
  /** The peer says that it takes no requests. */
  isPaused(peerId: string): boolean
  /** What that peer offers under these entries failed a moment ago, or whether the peer still answers is in doubt. */
  isDoubtful(peerId: string, service: string, entries: readonly string[]): boolean
  /** The peer could not be reached, or its connection was lost before it answered. */
  reportFailure(peerId: string, reason: string): void
  /** The peer is there, and what it offers under this {@link offerKey} failed: its server died, or broke off. */
  reportOfferFailure(peerId: string, offer: string): void
  /**
   * Why an answer of this peer may have broken off without anything having failed: asks the peer itself, for 2 s at
   * most. Undefined where it names no reason. Never rejects.
   */
  whyBrokenOff(peerId: string): Promise<string | undefined>
  /**
   * An event stream of this provider ended well, with one of the usual marks or without. False where its streams of that
   * kind carried one before: then this one is not complete. Engines that never send one are believed.
   */
  reportEnd(provider: string, kind: string, endMarked: boolean): boolean
  /** The peer answered, with what it offers under this {@link offerKey} where one is given. */
  reportSuccess(peerId: string, offer?: string): void
  /** Why a peer is not routable; undefined while it is. */
  reasonOf(peerId: string): string | undefined
  /** Calls `listener` when a peer goes into quarantine or leaves it; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

interface Quarantine {
  failures: number
  failedAtMs: number
  probeAtMs: number
  reason: string
  probing: boolean
}

/** What was asked of a provider, as its health is kept: a service, and the entries that had to match. */
export const offerKey = (service: string, entries: readonly string[]): string => [service, ...entries].join('\0')

const MODEL_PART = '\0model='

/** The model that such a key asks for; undefined where it asks for something else. */
export function modelOfOffer(offer: string): string | undefined {
  const at = offer.indexOf(MODEL_PART)
  if (at === -1 || !offer.startsWith('llm\0')) return undefined
  const start = at + MODEL_PART.length
  const end = offer.indexOf('\0', start)
  return end === -1 ? offer.slice(start) : offer.slice(start, end)
}

/** Offers whose failures are remembered; the oldest is forgotten first. */
const MAX_DOUBTS = 2_048
const MAX_DOUBT_MS = 60_000

const FIRST_BACKOFF_MS = 5_000
const MAX_BACKOFF_MS = 5 * 60_000
const MAX_PROBES_AT_ONCE = 4
const TICK_MS = 1_000
/** A client waits this long for the reason why its answer broke off. */
const REASON_WITHIN_MS = 2_000

/** Milliseconds a peer is left alone after its n-th failure in a row (n ≥ 1): 5 s, doubling up to 5 min. */
export function quarantineMs(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), MAX_BACKOFF_MS)
}

/** Quarantine over the table's peers: at most one entry a row. A peer that connects here is free at once. */
export function createProviderHealth(needs: ProviderHealthNeeds): ProviderHealth {
  return new QuarantiningHealth(needs)
}

/** What {@link createProviderHealth} stands on. */
export interface ProviderHealthNeeds {
  host: Host
  table: NodeTable
  monotonic: MonotonicClock
  log: Log
}

class QuarantiningHealth implements ProviderHealth {
  readonly name = 'provider-health'
  readonly #host: Host
  readonly #table: NodeTable
  readonly #monotonic: MonotonicClock
  readonly #log: Log
  readonly #quarantined = new Map<string, Quarantine>()
  readonly #doubts = new BoundedMap<string, { failures: number; untilMs: number }>(MAX_DOUBTS)
  /** Kinds of streams that carried a mark at their end. */
  readonly #endMarked = new BoundedMap<string, true>(MAX_DOUBTS)
  readonly #listeners = new Listeners()
  readonly #subscriptions: (() => void)[] = []
  #isStopped = false
  #timer: NodeJS.Timeout | undefined
  #probes = 0

  constructor(needs: ProviderHealthNeeds) {
    this.#host = needs.host
    this.#table = needs.table
    this.#monotonic = needs.monotonic
    this.#log = needs.log.forComponent('provider-health')
  }

  start(): Promise<void> {
    this.#host.libp2p.addEventListener('peer:connect', this.#onConnect)
    this.#host.libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#subscriptions.push(
      this.#table.subscribe((event) => {
        if (event.type === 'row:removed') this.#quarantined.delete(event.peerId)
        else this.#hurry(event.row.peerId)
      }),
      this.#table.status.subscribe((event) => this.#onStatus(event)),
    )
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe()
    this.#host.libp2p.removeEventListener('peer:connect', this.#onConnect)
    this.#host.libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    return Promise.resolve()
  }

  isRoutable(peerId: string): boolean {
    return !this.#quarantined.has(peerId) && this.#pausedReason(peerId) === undefined
  }

  isPaused(peerId: string): boolean {
    return this.#pausedReason(peerId) !== undefined
  }

  isDoubtful(peerId: string, service: string, entries: readonly string[]): boolean {
    if (this.#quarantined.has(peerId) || this.#isSilent(peerId)) return true
    // As nearly always: it is asked for each peer of each request.
    if (this.#doubts.size === 0) return false
    const doubt = this.#doubts.peek(`${peerId}\0${offerKey(service, entries)}`)
    return doubt !== undefined && this.#monotonic.elapsedMs() < doubt.untilMs
  }

  #isSilent(peerId: string): boolean {
    return this.#host.liveness?.isDoubted(this.#host.connectionsTo(peerId)) === true
  }

  reportOfferFailure(peerId: string, offer: string): void {
    const key = `${peerId}\0${offer}`
    const known = this.#doubts.peek(key)
    const now = this.#monotonic.elapsedMs()
    // Requests that were under way fail together: that is one failure.
    if (known !== undefined && now < known.untilMs) return
    const failures = (known?.failures ?? 0) + 1
    this.#doubts.set(key, { failures, untilMs: now + Math.min(quarantineMs(failures), MAX_DOUBT_MS) })
  }

  reportEnd(provider: string, kind: string, endMarked: boolean): boolean {
    const key = `${provider}\0${kind}`
    if (endMarked) this.#endMarked.set(key, true)
    return endMarked || this.#endMarked.peek(key) === undefined
  }

  reasonOf(peerId: string): string | undefined {
    return this.#quarantined.get(peerId)?.reason ?? this.#pausedReason(peerId)
  }

  reportFailure(peerId: string, reason: string): void {
    if (this.#table.get(peerId) === undefined) return
    const entry = this.#quarantined.get(peerId) ?? { failures: 0, failedAtMs: 0, probeAtMs: 0, reason, probing: false }
    // Requests that were under way fail together: that is one failure.
    if (entry.failures > 0 && !entry.probing && this.#monotonic.elapsedMs() < entry.probeAtMs) return
    entry.failures += 1
    entry.reason = reason
    entry.failedAtMs = this.#monotonic.elapsedMs()
    entry.probeAtMs = entry.failedAtMs + quarantineMs(entry.failures)
    this.#quarantined.set(peerId, entry)
    if (entry.failures > 1) return
    this.#log.info('a provider does not answer and is left alone for a while', { peerId, reason })
    this.#listeners.notify()
  }

  reportSuccess(peerId: string, offer?: string): void {
    if (offer !== undefined) this.#doubts.delete(`${peerId}\0${offer}`)
    if (this.#quarantined.size > 0 && this.#quarantined.delete(peerId)) this.#listeners.notify()
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async whyBrokenOff(peerId: string): Promise<string | undefined> {
    const outcome = await within(this.#table.status.refresh(peerId), REASON_WITHIN_MS, () => undefined)
    return outcome?.kind === 'answered' ? (outcome.status.paused ?? undefined) : undefined
  }

  #release(peerId: string): void {
    if (!this.#quarantined.delete(peerId)) return
    this.#log.info('a provider answers again', { peerId })
    this.#listeners.notify()
  }

  /** A peer that signs a row is alive, or was a moment ago: it is asked soon, however long it was to be left alone. */
  #hurry(peerId: string): void {
    const entry = this.#quarantined.get(peerId)
    if (entry !== undefined) entry.probeAtMs = Math.min(entry.probeAtMs, entry.failedAtMs + FIRST_BACKOFF_MS)
  }

  #tick(): void {
    const now = this.#monotonic.elapsedMs()
    for (const [peerId, entry] of this.#quarantined) {
      if (entry.probing || entry.probeAtMs > now) continue
      if (this.#probes >= MAX_PROBES_AT_ONCE) return
      void this.#probe(peerId, entry)
    }
  }

  /** Asks without a request at stake; the answer comes to `#onStatus`. */
  async #probe(peerId: string, entry: Quarantine): Promise<void> {
    this.#probes += 1
    entry.probing = true
    await this.#table.status.refresh(peerId)
    this.#probes -= 1
    entry.probing = false
  }

  #onStatus({ peerId, outcome }: PeerStatusEvent): void {
    if (this.#isStopped) return
    if (outcome.kind === 'unreachable') this.reportFailure(peerId, outcome.reason)
    else if (outcome.kind === 'invalid') this.reportFailure(peerId, 'its status is not signed by it')
    else this.#release(peerId)
  }

  #pausedReason(peerId: string): string | undefined {
    const status = this.#table.status.peek(peerId)
    if (status?.paused == null) return undefined
    const row = this.#table.get(peerId)
    // The newest signature counts; a row that is paused offers nothing.
    const isOutdated = row !== undefined && epochStart(row.epoch) + row.seq > status.timeMs
    return isOutdated ? undefined : status.paused
  }

  readonly #onConnect = (event: CustomEvent<PeerId>): void => this.#release(event.detail.toString())

  readonly #onDisconnect = (event: CustomEvent<PeerId>): void => {
    const peerId = event.detail.toString()
    if (this.#table.get(peerId) !== undefined && !this.#quarantined.has(peerId)) this.#table.status.hint(peerId)
  }
}
