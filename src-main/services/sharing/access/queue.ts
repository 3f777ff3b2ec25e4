import { ofGreediest, type Contender } from './eviction.js'
import type { PeerRequest } from './peer-request.js'
import { newbornShare, type Ranks } from './ranks.js'
import type { Asker } from './index.js'

/** Requests that wait for a slot, their bodies here, in the order they came. */
export class Queue implements Iterable<PeerRequest> {
  readonly #requests: PeerRequest[] = []
  readonly #ranks: Pick<Ranks, 'of'>

  constructor(ranks: Pick<Ranks, 'of'>) {
    this.#ranks = ranks
  }

  get size(): number {
    return this.#requests.length
  }

  /** Whether {@link Queue.join} would take in a request of that peer now. */
  hasRoomFor(asker: Asker, room: number): boolean {
    return this.size < room || this.#whoMakesRoom(asker, room) !== undefined
  }

  /**
   * Takes a request in while there are fewer than `room`. A full queue makes room by losing one of a source or peer that
   * has more, which is returned. `'full'` when the newcomer stays outside.
   */
  join(request: PeerRequest, room: number): PeerRequest | 'full' | undefined {
    const leaving = this.size < room ? undefined : (this.#whoMakesRoom(request.asker, room) ?? 'full')
    if (leaving === 'full') return leaving
    if (leaving !== undefined) this.leave(leaving)
    this.#requests.push(request)
    return leaving
  }

  leave(request: PeerRequest): void {
    const index = this.#requests.indexOf(request)
    if (index !== -1) this.#requests.splice(index, 1)
  }

  /** In the order they came. */
  get waiting(): readonly PeerRequest[] {
    return this.#requests
  }

  /** Those of this moment. */
  [Symbol.iterator](): IterableIterator<PeerRequest> {
    return [...this.#requests].values()
  }

  /** The last request of who has most: strangers for a trusted peer, newborn peers beyond their half for an older one. */
  #whoMakesRoom(asker: Asker, room: number): PeerRequest | undefined {
    const newcomer = this.#ranks.of(asker)
    const all = this.#requests.map((request): Contender => ({ request, rank: this.#ranks.of(request.asker) }))
    const strangers = all.filter(({ rank }) => !rank.isTrusted)
    const newborns = strangers.filter(({ rank }) => rank.isNewborn)
    const most = newbornShare(room)
    if (newcomer.isTrusted) {
      return strangers.length > 0
        ? ofGreediest(strangers, newcomer, 'always').at(-1)
        : ofGreediest(all, newcomer, 'when-fair').at(-1)
    }
    if (!newcomer.isNewborn && newborns.length > most) return ofGreediest(newborns, newcomer, 'always').at(-1)
    const contenders = newcomer.isNewborn && newborns.length >= most ? newborns : strangers
    return ofGreediest(contenders, newcomer, 'when-fair').at(-1)
  }
}
