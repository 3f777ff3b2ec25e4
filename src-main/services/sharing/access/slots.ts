import { SwapRemoveSet } from '../../../base/memory/swap-remove-set.js'
import type { PeerRequest } from './peer-request.js'
import { newbornShare, type Rank, type Ranks } from './ranks.js'
import type { Asker } from './index.js'

/** Peers, and sources, whose last slot is remembered while they have nothing here. */
const MAX_STANDINGS = 4096

/** How a peer or a source stands: its requests at work, and when it was last given a slot (a counter; 0 is never). */
interface Standing {
  running: number
  lastGranted: number
}

/** What this machine works on: requests of peers in its slots, and the owner's own, which take slots from them. */
export class Slots {
  readonly #running = new SwapRemoveSet<PeerRequest>()
  readonly #sources = new Standings()
  readonly #peers = new Standings()
  readonly #ranks: Pick<Ranks, 'of'>
  readonly #total: () => number
  #newborns = 0
  #own = 0
  #granted = 0

  /** `total` is how many there are, the owner's included; it may change at any time. */
  constructor(ranks: Pick<Ranks, 'of'>, total: () => number) {
    this.#ranks = ranks
    this.#total = total
  }

  /** Requests of peers at work. */
  get used(): number {
    return this.#running.size
  }

  /** The owner's own requests at work. */
  get own(): number {
    return this.#own
  }

  /** Slots a peer's request could have now. */
  get free(): number {
    return Math.max(0, this.#total() - this.#own - this.#running.size)
  }

  /** Requests of peers at work at this moment. */
  running(): Iterable<PeerRequest> {
    return this.#running
  }

  acquire(request: PeerRequest): void {
    const rank = this.#ranks.of(request.asker)
    request.rank = rank
    this.#running.add(request)
    this.#takeTurn(rank, 1)
    if (rank.isNewborn) this.#newborns += 1
  }

  release(request: PeerRequest): void {
    const { rank } = request
    if (!this.#running.delete(request) || rank === undefined) return
    for (const standing of this.#standingsOf(rank)) standing.running = Math.max(0, standing.running - 1)
    if (rank.isNewborn) this.#newborns -= 1
  }

  /** Counts as if a slot had been given just now: others come first. */
  charge(asker: Asker): void {
    this.#takeTurn(this.#ranks.of(asker), 0)
  }

  acquireOwn(): void {
    this.#own += 1
  }

  releaseOwn(): void {
    this.#own -= 1
  }

  /**
   * Who gets the slot that is free: a trusted peer before strangers, newborn peers that have their half last. Among
   * alike the source with the fewest requests at work, of those the one served longest ago, there the peer by the same
   * rule, and of its requests the oldest. So every source gets the same share, however many peers or requests it sends.
   */
  next(waiting: readonly PeerRequest[]): PeerRequest | undefined {
    let best: { request: PeerRequest; place: readonly number[] } | undefined
    for (const request of waiting) {
      const place = waiting.length === 1 ? [] : this.#placeOf(this.#ranks.of(request.asker))
      if (best === undefined || isBefore(place, best.place)) best = { request, place }
    }
    return best?.request
  }

  /** Compared from its first number on; the lowest comes first. */
  #placeOf(rank: Rank): number[] {
    const isPastHalf = rank.isNewborn && this.#newborns >= newbornShare(this.#total() - this.#own)
    const tier = rank.isTrusted ? 0 : isPastHalf ? 2 : 1
    return [tier, ...this.#standingsOf(rank).flatMap(({ running, lastGranted }) => [running, lastGranted])]
  }

  #takeTurn(rank: Rank, requests: number): void {
    this.#granted += 1
    for (const standing of this.#standingsOf(rank)) {
      standing.running += requests
      standing.lastGranted = this.#granted
    }
  }

  #standingsOf({ source, peerId }: Rank): Standing[] {
    return [this.#sources.of(source), this.#peers.of(peerId)]
  }
}

/** Bounded: of those with nothing at work the one that was met first is forgotten. */
class Standings {
  readonly #standings = new Map<string, Standing>()

  of(name: string): Standing {
    const known = this.#standings.get(name)
    if (known !== undefined) return known
    const standing = { running: 0, lastGranted: 0 }
    this.#standings.set(name, standing)
    if (this.#standings.size > MAX_STANDINGS) {
      const idle = [...this.#standings].find(([, other]) => other.running === 0 && other !== standing)
      if (idle !== undefined) this.#standings.delete(idle[0])
    }
    return standing
  }
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0
    if (value !== other) return value < other
  }
  return false
}
