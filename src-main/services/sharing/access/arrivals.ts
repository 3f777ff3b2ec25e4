import { SwapRemoveSet } from '../../../base/memory/swap-remove-set.js'
import { ofGreediest, type Contender } from './eviction.js'
import type { PeerRequest } from './peer-request.js'
import type { Ranks } from './ranks.js'

/** Requests whose bodies may arrive at a time at least: of one source, and so many times that of all. */
const MOST_OF_SOURCE = 64
const SOURCES = 4

/** Requests whose bodies are on their way. They hold neither a slot nor room in the queue. */
export class Arrivals implements Iterable<PeerRequest> {
  readonly #requests = new SwapRemoveSet<PeerRequest>()
  readonly #ranks: Pick<Ranks, 'of'>

  constructor(ranks: Pick<Ranks, 'of'>) {
    this.#ranks = ranks
  }

  get size(): number {
    return this.#requests.size
  }

  /**
   * Takes a request in; where there are too many of its source or of all, the oldest of the peer with most is returned,
   * no longer here: what is long on its way is least likely to come. `'full'` for a stranger among trusted peers only.
   * A source may have as many as `atOnce`, which is what the owner lets run and wait.
   */
  join(request: PeerRequest, atOnce: number): PeerRequest | 'full' | undefined {
    const leaving = this.#whoMakesRoom(request, Math.max(MOST_OF_SOURCE, atOnce))
    if (leaving === 'full') return leaving
    if (leaving !== undefined) this.leave(leaving)
    this.#requests.add(request)
    return leaving
  }

  leave(request: PeerRequest): void {
    this.#requests.delete(request)
  }

  /** Those of this moment. */
  [Symbol.iterator](): IterableIterator<PeerRequest> {
    return this.#requests[Symbol.iterator]()
  }

  #whoMakesRoom(request: PeerRequest, mostOfSource: number): PeerRequest | 'full' | undefined {
    if (this.size < mostOfSource) return undefined
    const newcomer = this.#ranks.of(request.asker)
    const all = [...this.#requests].map((one): Contender => ({ request: one, rank: this.#ranks.of(one.asker) }))
    const own = all.filter(({ rank }) => rank.source === newcomer.source)
    if (own.length >= mostOfSource) return oldest(ofGreediest(own, newcomer, 'always'))
    if (this.size < SOURCES * mostOfSource) return undefined
    const strangers = all.filter(({ rank }) => !rank.isTrusted)
    const contenders = newcomer.isTrusted && strangers.length === 0 ? all : strangers
    return oldest(ofGreediest(contenders, newcomer, 'always')) ?? 'full'
  }
}

function oldest(requests: readonly PeerRequest[]): PeerRequest | undefined {
  return requests.reduce<PeerRequest | undefined>(
    (first, one) => (first === undefined || one.number < first.number ? one : first),
    undefined,
  )
}
