/** The peers of one offer: a set whose members can also be drawn by number, so that nobody has to look at all of them. */
export class ProviderSet extends Set<string> {
  readonly #list: string[] = []

  constructor(peerIds: Iterable<string> = []) {
    super()
    for (const peerId of peerIds) this.add(peerId)
  }

  /** The members in no particular order; it changes with the set. */
  get list(): readonly string[] {
    return this.#list
  }

  override add(peerId: string): this {
    if (this.has(peerId)) return this
    this.#list.push(peerId)
    return super.add(peerId)
  }

  override delete(peerId: string): boolean {
    if (!super.delete(peerId)) return false
    const last = this.#list.pop()
    // The last one takes the place of the one that left.
    if (last !== undefined && last !== peerId) this.#list[this.#list.indexOf(peerId)] = last
    return true
  }

  override clear(): void {
    this.#list.length = 0
    super.clear()
  }
}

/** A {@link ProviderSet} that others may only read. */
export type ReadonlyProviderSet = ReadonlySet<string> & Pick<ProviderSet, 'list'>
