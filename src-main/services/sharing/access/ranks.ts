import { BoundedMap } from '../../../base/bounded-map.js'
import type { MonotonicClock } from '../../../base/clock.js'
import type { Asker } from './index.js'

/** An identity is new for so long, unless it is served before: a new one costs nothing. */
const NEWBORN_MS = 10 * 60_000

/** Peers of whom it is known when they first asked; one that is forgotten is new again. */
const MAX_PEERS = 4096

/** What decides whose request comes first. */
export interface Rank {
  readonly isTrusted: boolean
  /** A stranger that first asked a moment ago and was never served. */
  readonly isNewborn: boolean
  /** What shares are counted by before peers; a trusted peer is a source of its own, wherever it is. */
  readonly source: string
  readonly peerId: string
}

/** Tells peers the owner trusts from strangers, and strangers that were served from identities made up just now. */
export class Ranks {
  readonly #monotonic: MonotonicClock
  readonly #isTrusted: (peerId: string) => boolean
  readonly #wasServed: (peerId: string) => boolean
  readonly #firstAsked = new BoundedMap<string, number>(MAX_PEERS)

  constructor(needs: {
    monotonic: MonotonicClock
    isTrusted: (peerId: string) => boolean
    ledger: { wasServed(peerId: string): boolean }
  }) {
    this.#monotonic = needs.monotonic
    this.#isTrusted = needs.isTrusted
    this.#wasServed = (peerId) => needs.ledger.wasServed(peerId)
  }

  /** A peer asks: from the first time on it grows older. */
  noteAsked(peerId: string): void {
    if (this.#firstAsked.get(peerId) === undefined) this.#firstAsked.set(peerId, this.#monotonic.elapsedMs())
  }

  /** How a peer stands at this moment. */
  of({ peerId, source }: Pick<Asker, 'peerId' | 'source'>): Rank {
    if (this.#isTrusted(peerId)) return { isTrusted: true, isNewborn: false, source: peerId, peerId }
    return { isTrusted: false, isNewborn: this.#isNewborn(peerId), source, peerId }
  }

  #isNewborn(peerId: string): boolean {
    if (this.#wasServed(peerId)) return false
    const firstAskedMs = this.#firstAsked.peek(peerId)
    return firstAskedMs === undefined || this.#monotonic.elapsedMs() - firstAskedMs < NEWBORN_MS
  }
}

/** How many of so many slots, or of so much room in the queue, newborn peers may have while others want them. */
export const newbornShare = (all: number): number => Math.max(1, Math.floor(all / 2))
