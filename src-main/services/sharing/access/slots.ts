import { SwapRemoveSet } from '../../../base/swap-remove-set.js'
import type { PeerRequest } from './peer-request.js'

/** Peers whose last slot is remembered while they have nothing here. */
const MAX_STANDINGS = 4096

/** How a peer stands: its requests at work, and when it was last given a slot (a counter; 0 is never). */
interface Standing {
  running: number
  lastGranted: number
}

/** What this machine works on: requests of peers in its slots, and the owner's own, which take slots from them. */
export class Slots {
  readonly #running = new SwapRemoveSet<PeerRequest>()
  readonly #standings = new Map<string, Standing>()
  readonly #total: () => number
  #own = 0
  #granted = 0

  /** `total` is how many there are, the owner's included; it may change at any time. */
  constructor(total: () => number) {
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
    const standing = this.#standingOf(request.asker.peerId)
    standing.running += 1
    this.#granted += 1
    standing.lastGranted = this.#granted
    this.#running.add(request)
  }

  release(request: PeerRequest): void {
    this.#running.delete(request)
    const standing = this.#standingOf(request.asker.peerId)
    standing.running = Math.max(0, standing.running - 1)
  }

  acquireOwn(): void {
    this.#own += 1
  }

  releaseOwn(): void {
    this.#own -= 1
  }

  /**
   * Who gets the slot that is free: the peer with the fewest requests at work, among those the one served longest ago;
   * of its requests the oldest. So everyone gets the same share, however many one sends.
   */
  next(waiting: readonly PeerRequest[]): PeerRequest | undefined {
    let best: { request: PeerRequest; standing: Standing } | undefined
    const seen = new Set<string>()
    for (const request of waiting) {
      const { peerId } = request.asker
      if (seen.has(peerId)) continue
      seen.add(peerId)
      const standing = this.#standingOf(peerId)
      if (best === undefined || isBefore(standing, best.standing)) best = { request, standing }
    }
    return best?.request
  }

  #standingOf(peerId: string): Standing {
    const known = this.#standings.get(peerId)
    if (known !== undefined) return known
    const standing = { running: 0, lastGranted: 0 }
    this.#standings.set(peerId, standing)
    if (this.#standings.size > MAX_STANDINGS) {
      const idle = [...this.#standings].find(([, other]) => other.running === 0 && other !== standing)
      if (idle !== undefined) this.#standings.delete(idle[0])
    }
    return standing
  }
}

function isBefore(a: Standing, b: Standing): boolean {
  return a.running === b.running ? a.lastGranted < b.lastGranted : a.running < b.running
}
