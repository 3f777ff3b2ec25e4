import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { Row } from '../index.js'
import type { TableView } from '../view/view.js'
import type { PeerStatus } from './peer-status.js'

/** Asks owners that this node never met whether they are there, so that it can show what they offer. */
export interface Prover {
  stop(): void
}

/** Owners asked at once, and how many in a minute: a first burst, then as many as the table's other questions. */
const LANES = 8
const ASKED = { capacity: 128, refillPerS: 4 }
/**
 * Where the table is partial, new names come without end, and each question dials a peer: so few a second then. The list
 * of models fills more slowly; what it lacks is found all the same.
 */
const PARTIAL_REFILL_PER_S = 1 / 120
/** One that did not answer is asked again after that, twice as long each time, so often at most; then as it renews its row. */
const RETRY_MS = 4_000
const MAX_RETRIES = 5
/** A renewal has its owner asked again, and not sooner than after that. */
const AGAIN_AFTER_MS = 60_000
/** Owners of which it is remembered that they were asked. */
const MAX_ASKED = 20_000
/** Owners of one bringer that wait; of more, those that came first are left out. */
const MAX_WAITING = 4_096
/** Owners looked at in one turn of the event loop. */
const LOOKED_AT_PER_TURN = 64
/** Without a connection nobody can be asked. */
const OFFLINE_RETRY_MS = 250
/** A new row makes every node ask its owner: each waits so long at random for each row of the table. */
const SPREAD_MS_PER_ROW = 20
const MAX_SPREAD_MS = 60_000
/** What so many met peers offer needs no further one to be listed. */
const ENOUGH_PROVIDERS = 2
/** Providers of one entry looked at for it. */
const MAX_LOOKED_AT = 32

/** What {@link createProver} works with. */
export interface ProverNeeds {
  view: Pick<TableView, 'get' | 'brought' | 'offers' | 'onAccepted' | 'size'>
  status: Pick<PeerStatus, 'refresh'>
  monotonic: MonotonicClock
  /** Is any peer connected? */
  isOnline: () => boolean
  /** Whether the table holds only a part of the network; absent: no. */
  isPartial?: () => boolean
  /** Numbers in [0, 1); `Math.random` unless given. */
  random?: () => number
}

/**
 * A prover over the rows that come in from now on. Few are asked at a time, in turn by who brought them, so that one who
 * brings thousands keeps nobody else's waiting; of each the latest first, as an owner that is there renews its row.
 */
export function createProver(needs: ProverNeeds): Prover {
  return new TurnTakingProver(needs)
}

class TurnTakingProver implements Prover {
  readonly #view: ProverNeeds['view']
  readonly #status: ProverNeeds['status']
  readonly #monotonic: MonotonicClock
  readonly #isOnline: () => boolean
  readonly #isPartial: () => boolean
  readonly #random: () => number
  /** Of each bringer the owners to ask, the latest last. The bringer whose turn it is comes first. */
  readonly #waiting = new Map<string, string[]>()
  /** When those that did not answer are asked again. */
  readonly #later = new BoundedMap<string, { dueAtMs: number; retries: number }>(MAX_WAITING)
  readonly #askedAtMs = new BoundedMap<string, number>(MAX_ASKED)
  #budget: ReturnType<typeof fullBucket>
  #running = 0
  #isStopped = false
  #timer: NodeJS.Timeout | undefined
  #asksAtMs = 0

  constructor({ view, status, monotonic, isOnline, isPartial, random = Math.random }: ProverNeeds) {
    this.#view = view
    this.#status = status
    this.#monotonic = monotonic
    this.#isOnline = isOnline
    this.#isPartial = isPartial ?? (() => false)
    this.#random = random
    this.#budget = fullBucket(ASKED, monotonic.elapsedMs())
    view.onAccepted(({ peerId }) => this.#queue(peerId))
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#waiting.clear()
  }

  #queue(peerId: string): void {
    const bringer = this.#view.brought.bringerOf(peerId)
    if (this.#isStopped || bringer === undefined || this.#wasAsked(peerId)) return
    const owners = this.#waiting.get(bringer) ?? []
    this.#waiting.set(bringer, owners)
    if (owners.push(peerId) > MAX_WAITING) owners.splice(0, MAX_WAITING / 2)
    this.#askIn(this.#random() * Math.min(MAX_SPREAD_MS, this.#view.size * SPREAD_MS_PER_ROW))
  }

  /** Asks then, unless that comes anyhow by then. */
  #askIn(delayMs: number): void {
    const atMs = this.#monotonic.elapsedMs() + delayMs
    if (this.#timer !== undefined && this.#asksAtMs <= atMs) return
    clearTimeout(this.#timer)
    this.#asksAtMs = atMs
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#askSome()
    }, delayMs).unref()
  }

  #askSome(): void {
    if (!this.#isOnline()) {
      this.#askIn(OFFLINE_RETRY_MS)
      return
    }
    this.#queueRetries()
    for (let looked = 0; this.#running < LANES && this.#waiting.size > 0; looked += 1) {
      const refillPerS = this.#isPartial() ? PARTIAL_REFILL_PER_S : ASKED.refillPerS
      this.#budget = refilled(this.#budget, { ...ASKED, refillPerS }, this.#monotonic.elapsedMs())
      const hasTokens = this.#budget.tokens >= 1
      if (!hasTokens || looked === LOOKED_AT_PER_TURN) {
        this.#askIn(hasTokens ? 0 : 1000 / refillPerS)
        return
      }
      const peerId = this.#next()
      if (peerId === undefined) continue
      this.#budget = { ...this.#budget, tokens: this.#budget.tokens - 1 }
      void this.#ask(peerId)
    }
  }

  /** The latest of the bringer whose turn it is, which then is the last; undefined where asking it would be of no use. */
  #next(): string | undefined {
    for (const [bringer, owners] of this.#waiting) {
      const peerId = owners.pop() ?? ''
      this.#waiting.delete(bringer)
      if (owners.length > 0) this.#waiting.set(bringer, owners)
      const row = this.#view.get(peerId)
      const isUnmet = this.#view.brought.bringerOf(peerId) !== undefined && !this.#wasAsked(peerId)
      return row !== undefined && isUnmet && this.#isWanted(row) ? peerId : undefined
    }
    return undefined
  }

  /** Does it offer something that hardly anyone who was met does? */
  #isWanted({ record }: Row): boolean {
    return record.service.some(
      ({ name, status, identity_group: entries }) =>
        status === 'connected' && entries.some((entry) => this.#metProviders(name, entry) < ENOUGH_PROVIDERS),
    )
  }

  #metProviders(service: string, entry: string): number {
    const { list } = this.#view.offers.providers(service, entry)
    return list.slice(0, MAX_LOOKED_AT).filter((peerId) => this.#view.brought.bringerOf(peerId) === undefined).length
  }

  async #ask(peerId: string): Promise<void> {
    this.#running += 1
    this.#askedAtMs.set(peerId, this.#monotonic.elapsedMs())
    const { kind } = await this.#status.refresh(peerId)
    this.#running -= 1
    if (this.#isStopped) return
    if (kind === 'unreachable') this.#askLater(peerId)
    else this.#later.delete(peerId)
    this.#askSome()
  }

  #askLater(peerId: string): void {
    const retries = (this.#later.peek(peerId)?.retries ?? 0) + 1
    if (retries > MAX_RETRIES) {
      this.#later.delete(peerId)
      return
    }
    const dueAtMs = this.#monotonic.elapsedMs() + RETRY_MS * 2 ** (retries - 1)
    this.#later.set(peerId, { dueAtMs, retries })
  }

  /** Those that are due come after all that were never asked. */
  #queueRetries(): void {
    const now = this.#monotonic.elapsedMs()
    let nextInMs = Infinity
    for (const [peerId, retry] of this.#later) {
      const bringer = this.#view.brought.bringerOf(peerId)
      if (bringer === undefined) this.#later.delete(peerId)
      else if (retry.dueAtMs > now) nextInMs = Math.min(nextInMs, retry.dueAtMs - now)
      if (bringer === undefined || retry.dueAtMs > now) continue
      retry.dueAtMs = Infinity
      this.#askedAtMs.delete(peerId)
      const owners = this.#waiting.get(bringer) ?? []
      this.#waiting.set(bringer, owners)
      owners.unshift(peerId)
    }
    if (nextInMs < Infinity) this.#askIn(nextInMs)
  }

  #wasAsked(peerId: string): boolean {
    const atMs = this.#askedAtMs.peek(peerId)
    return atMs !== undefined && this.#monotonic.elapsedMs() - atMs < AGAIN_AFTER_MS
  }
}
