import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'

/** How much of the network's gossip this node passes on, and whether its table can be that of the whole network. */
export interface GossipBudget {
  /**
   * Whether a new envelope that came by gossip goes on to others, which its cost is booked for. One that is not passed on
   * may be taken in all the same.
   */
  passesOn(envelope: PassedEnvelope): boolean
  /** True while the network has more to say than the budget pays for: each table holds a changing part of it then. */
  readonly isPartial: boolean
}

/** What of an envelope decides. */
export interface PassedEnvelope {
  sizeBytes: number
  /** The peer that sent it. */
  from: string
  /** Whose row it is. */
  owner: string
  /** `row` offers something, `nothing` does not; a `withdrawal` is of a row that is held here, else it is `nothing`. */
  kind: 'row' | 'withdrawal' | 'nothing'
}

/** Copies of an envelope that its being passed on costs a node: to its mesh, less those that said they have it. */
const COPIES_PASSED_ON = 7
const MAX_COST = 8192 * COPIES_PASSED_ON
/** A smaller table is always a whole one, however much its nodes have to say when all of them begin at once. */
export const MIN_PARTIAL_ROWS = 500
/** What there was to pass on counts half after about seven minutes. */
const MEMORY_MS = 10 * 60_000
/**
 * Hysteresis: a table is partial from this share of the budget on, and whole again below the other. Between partial
 * tables little is passed on, so little comes: one to two times the budget, whatever the size of the
 * network.
 */
const [PARTIAL_FROM, WHOLE_BELOW] = [0.6, 0.2]
/** A node that has just started can't know yet; until then, a table as large as that counts as partial. */
const YOUNG_MS = 15 * 60_000
/** Of the budget, what a partial table spends on passing rows on: the rest is for lookups and syncs. */
const SHARE_WHEN_PARTIAL = 0.4
/** What may be passed on at once, as seconds of the budget. */
const SAVED_S = 120
/** Of what is passed on in a partial table, the most that one peer may have brought. */
const SHARE_OF_SENDER = 0.25
const MAX_SENDERS = 64
/**
 * How often an owner has a turn to be passed on in a partial table: as often as an honest one renews its row at the most.
 * Whoever says the same all the time would else be in every table, where others are in a few, and be asked before them.
 */
const TURN_EVERY_MS = 48 * 60_000
/** More than come in that time. */
const MAX_OWNERS = 4_096

/** A sum that fades; divided by {@link MEMORY_MS}, it is a rate. */
interface Fading {
  sum: number
  atMs: number
}

/** A budget that nothing was spent of. `rows` tells how many the table holds. */
export function createGossipBudget(
  needs: { monotonic: MonotonicClock; rows: () => number },
  options: { budgetBytesPerS: number },
): GossipBudget {
  return new MeasuredBudget(needs, options)
}

class MeasuredBudget implements GossipBudget {
  readonly #monotonic: MonotonicClock
  readonly #rows: () => number
  readonly #bytesPerS: number
  /** What there was to pass on of use, and of rows that offer nothing. */
  readonly #useful: Fading = { sum: 0, atMs: 0 }
  readonly #idle: Fading = { sum: 0, atMs: 0 }
  readonly #senders = new BoundedMap<string, Fading>(MAX_SENDERS)
  /** When each of them had its last turn. */
  readonly #owners = new BoundedMap<string, number>(MAX_OWNERS)
  #tokens: number
  #refilledAtMs: number
  readonly #startedAtMs: number
  #wasPartial = false

  constructor(
    { monotonic, rows }: { monotonic: MonotonicClock; rows: () => number },
    { budgetBytesPerS }: { budgetBytesPerS: number },
  ) {
    this.#monotonic = monotonic
    this.#rows = rows
    this.#bytesPerS = budgetBytesPerS
    this.#tokens = budgetBytesPerS * SAVED_S
    this.#startedAtMs = monotonic.elapsedMs()
    this.#refilledAtMs = this.#startedAtMs
  }

  get isPartial(): boolean {
    if (this.#rows() < MIN_PARTIAL_ROWS) return (this.#wasPartial = false)
    const now = this.#monotonic.elapsedMs()
    if (now - this.#startedAtMs < YOUNG_MS) return true
    const share = faded(this.#useful, now) / this.#spentInMemory(1)
    return (this.#wasPartial = share >= (this.#wasPartial ? WHOLE_BELOW : PARTIAL_FROM))
  }

  passesOn(envelope: PassedEnvelope): boolean {
    const { sizeBytes, kind } = envelope
    const now = this.#monotonic.elapsedMs()
    const cost = sizeBytes * COPIES_PASSED_ON
    add(kind === 'nothing' ? this.#idle : this.#useful, now, cost)
    if (this.#rows() < MIN_PARTIAL_ROWS) return true
    // Who offers nothing is found by nobody: the first to stay near its owner.
    if (kind === 'nothing') return faded(this.#useful, now) + faded(this.#idle, now) <= this.#spentInMemory(1)
    return !this.isPartial || this.#spend(cost, envelope, now)
  }

  #spend(cost: number, { from, owner, kind }: PassedEnvelope, now: number): boolean {
    const perS = this.#bytesPerS * SHARE_WHEN_PARTIAL
    const gained = ((now - this.#refilledAtMs) / 1000) * perS
    // However small the budget, the largest message goes on some time.
    this.#tokens = Math.min(Math.max(perS * SAVED_S, MAX_COST), this.#tokens + gained)
    this.#refilledAtMs = now
    // The turn is over, whether there is room or not: who tries all the time would find some in the end.
    if (kind === 'row' && !this.#takesTurn(owner, now)) return false
    if (this.#tokens < cost) return false
    const sent = this.#senders.get(from) ?? { sum: 0, atMs: now }
    if (faded(sent, now) >= this.#spentInMemory(SHARE_WHEN_PARTIAL * SHARE_OF_SENDER)) return false
    this.#tokens -= cost
    add(sent, now, cost)
    this.#senders.set(from, sent)
    return true
  }

  #takesTurn(owner: string, now: number): boolean {
    const lastMs = this.#owners.peek(owner)
    if (lastMs !== undefined && now - lastMs < TURN_EVERY_MS) return false
    this.#owners.set(owner, now)
    return true
  }

  /** What a share of the budget would come to, spent all the time and faded like everything here. */
  #spentInMemory(share: number): number {
    return this.#bytesPerS * share * (MEMORY_MS / 1000)
  }
}

function faded({ sum, atMs }: Fading, nowMs: number): number {
  return nowMs <= atMs ? sum : sum * Math.exp((atMs - nowMs) / MEMORY_MS)
}

function add(fading: Fading, nowMs: number, more: number): void {
  fading.sum = faded(fading, nowMs) + more
  fading.atMs = nowMs
}
