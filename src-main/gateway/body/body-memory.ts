import { AppError } from '#shared/errors.js'
import { NOT_A_MEMBER, SwapRemoveSet, type SwapRemoveMember } from '../../base/memory/swap-remove-set.js'

/** The memory of one request's body, from its first byte until the request is over. */
export interface HeldBody {
  /**
   * So many bytes more.
   * @throws AppError `rate_limited` where there is no room for them
   */
  grow(bytes: number): void
  /** Called once, should its memory be taken from it; only until {@link HeldBody.keep}. */
  onEvicted(listener: (error: AppError) => void): void
  /** Takes its memory from it, for that reason. */
  evict(error: AppError): void
  /** It is at work now: its memory is taken from it no more. */
  keep(): void
  /** Gives all back; idempotent. */
  release(): void
}

/**
 * Bounds what the bodies of all requests take together. Bodies of this machine's programs go before those of web pages
 * and peers: where there is no room, whoever of those holds most loses their largest.
 */
export class BodyMemory {
  readonly #maxBytes: () => number
  readonly #held = new SwapRemoveSet<Held>()
  #bytes = 0

  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of all bodies at this moment. */
  get bytes(): number {
    return this.#bytes
  }

  /** Room for a body of that peer, or of pages of that origin; undefined is a program of this machine. */
  hold(holder: string | undefined): HeldBody {
    return new Held(holder, this)
  }

  /** For {@link Held} alone: counts, and makes room where there is none. */
  changed(held: Held, bytes: number): void {
    this.#bytes += bytes
    if (held.bytes > 0) this.#held.add(held)
    else this.#held.delete(held)
    while (bytes > 0 && this.#bytes > this.#maxBytes()) {
      const victim = this.#largestOfGreediest()
      if (victim === undefined || victim === held) {
        held.release()
        throw noRoom()
      }
      victim.evict(noRoom())
    }
  }

  #largestOfGreediest(): Held | undefined {
    const holders = new Map<string, { bytes: number; largest: Held }>()
    for (const held of this.#held) {
      if (held.holder === undefined || held.isKept) continue
      const known = holders.get(held.holder) ?? { bytes: 0, largest: held }
      known.bytes += held.bytes
      if (held.bytes > known.largest.bytes) known.largest = held
      holders.set(held.holder, known)
    }
    let greediest: { bytes: number; largest: Held } | undefined
    for (const each of holders.values()) if (each.bytes > (greediest?.bytes ?? 0)) greediest = each
    return greediest?.largest
  }
}

class Held implements HeldBody, SwapRemoveMember {
  setIndex = NOT_A_MEMBER
  readonly holder: string | undefined
  bytes = 0
  isKept = false
  #listeners: ((error: AppError) => void)[] = []
  readonly #memory: BodyMemory

  constructor(holder: string | undefined, memory: BodyMemory) {
    this.holder = holder
    this.#memory = memory
  }

  grow(bytes: number): void {
    this.bytes += bytes
    this.#memory.changed(this, bytes)
  }

  onEvicted(listener: (error: AppError) => void): void {
    this.#listeners.push(listener)
  }

  evict(error: AppError): void {
    this.release()
    const listeners = this.#listeners
    this.#listeners = []
    if (!this.isKept) for (const listener of listeners) listener(error)
  }

  keep(): void {
    this.isKept = true
  }

  release(): void {
    const { bytes } = this
    if (bytes === 0) return
    this.bytes = 0
    this.#memory.changed(this, -bytes)
  }
}

function noRoom(): AppError {
  return new AppError(
    'rate_limited',
    'Too many large requests are at work at this node. Send this one again in a moment.',
    {
      retryAfterS: 2,
    },
  )
}
