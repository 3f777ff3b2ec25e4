import type { PeerRequest } from './peer-request.js'

/** Requests that arrive or wait for a slot, in the order they came. */
export class Queue implements Iterable<PeerRequest> {
  readonly #requests: PeerRequest[] = []

  get size(): number {
    return this.#requests.length
  }

  /**
   * Takes a request in while there are fewer than `room`. A full queue makes room for it when another peer has more:
   * that one's last request is returned, no longer in the queue. `'full'` when the newcomer stays outside.
   */
  join(request: PeerRequest, room: number): PeerRequest | 'full' | undefined {
    const leaving = this.size < room ? undefined : (this.#whoMakesRoom(request.asker.peerId) ?? 'full')
    if (leaving === 'full') return leaving
    if (leaving !== undefined) this.leave(leaving)
    this.#requests.push(request)
    return leaving
  }

  leave(request: PeerRequest): void {
    const index = this.#requests.indexOf(request)
    if (index !== -1) this.#requests.splice(index, 1)
  }

  /** Those whose body is here. */
  waiting(): PeerRequest[] {
    return this.#requests.filter(({ isWaiting }) => isWaiting)
  }

  /** Those of this moment. */
  [Symbol.iterator](): IterableIterator<PeerRequest> {
    return [...this.#requests].values()
  }

  /** The last request of the peer that has most here, unless the newcomer would then have as many. */
  #whoMakesRoom(newcomer: string): PeerRequest | undefined {
    const counts = new Map<string, number>()
    for (const { asker } of this.#requests) counts.set(asker.peerId, (counts.get(asker.peerId) ?? 0) + 1)
    const own = counts.get(newcomer) ?? 0
    const [greediest, most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0])
    return most > own + 1 ? this.#requests.findLast(({ asker }) => asker.peerId === greediest) : undefined
  }
}
