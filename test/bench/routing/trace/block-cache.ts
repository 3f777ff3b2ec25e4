/** What a server holds of the prompts it has read: so many blocks, the longest unused of which go first. */
export class BlockCache {
  readonly #held = new Set<number>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** How many blocks at the beginning of a prompt it holds. */
  match(blocks: readonly number[]): number {
    const missing = blocks.findIndex((id) => !this.#held.has(id))
    return missing === -1 ? blocks.length : missing
  }

  /** As {@link BlockCache.match}; it holds the whole prompt from now on, and would lose its end first. */
  take(blocks: readonly number[]): number {
    const known = this.match(blocks)
    for (const id of blocks.toReversed()) {
      this.#held.delete(id)
      this.#held.add(id)
    }
    for (const oldest of this.#held) {
      if (this.#held.size <= this.#capacity) break
      this.#held.delete(oldest)
    }
    return known
  }

  clear(): void {
    this.#held.clear()
  }
}
