/** Those who want to hear of something, in the order in which they came. */
export class Listeners<Arguments extends unknown[] = []> {
  readonly #all = new Set<(...args: Arguments) => void>()

  /** How many there are. */
  get size(): number {
    return this.#all.size
  }

  /** Adds one. Returns the way to remove it again. */
  add(listener: (...args: Arguments) => void): () => void {
    this.#all.add(listener)
    return () => void this.#all.delete(listener)
  }

  /** Calls all of them, also when one throws; then throws the first error. */
  notify(...args: Arguments): void {
    let failure: { error: unknown } | undefined
    for (const listener of this.#all) {
      try {
        listener(...args)
      } catch (error) {
        failure ??= { error }
      }
    }
    if (failure !== undefined) throw failure.error
  }

  /** Removes all. */
  clear(): void {
    this.#all.clear()
  }
}
