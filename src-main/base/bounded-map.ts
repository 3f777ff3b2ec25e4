/** A map that holds so many entries at most: a new one beyond that evicts the one that was used the longest ago. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #capacity: number
  /** The entry that was used last, where that is known: it need not be moved to be the newest. */
  #newest: Key | undefined

  /** `capacity`: entries, at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  /** The value, which counts as used from now on. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined && !this.#entries.has(key)) return undefined
    if (key !== this.#newest) this.#put(key, value as Value)
    return value
  }

  /** The value; looking does not count as use. */
  peek(key: Key): Value | undefined {
    return this.#entries.get(key)
  }

  /** Whether there is one; asking does not count as use. */
  has(key: Key): boolean {
    return this.#entries.has(key)
  }

  /** Sets a value, which counts as used now. */
  set(key: Key, value: Value): void {
    if (key === this.#newest && this.#entries.has(key)) {
      this.#entries.set(key, value)
      return
    }
    this.#put(key, value)
    if (this.#entries.size <= this.#capacity) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  #put(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    this.#newest = key
  }

  /** False when there was none. */
  delete(key: Key): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#newest = undefined
    this.#entries.clear()
  }

  /** From the one that was used the longest ago. */
  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    return this.#entries[Symbol.iterator]()
  }
}
