import { NOT_A_MEMBER, SwapRemoveSet, type SwapRemoveMember } from './memory/swap-remove-set.js'

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
    callAll(this.#all, args)
  }

  /** Removes all. */
  clear(): void {
    this.#all.clear()
  }
}

/** The same in no order, for those who listen as long as a request of theirs runs: see {@link SwapRemoveSet}. */
export class PassingListeners<Arguments extends unknown[] = []> {
  readonly #all = new SwapRemoveSet<Passing<Arguments>>()

  /** How many there are. */
  get size(): number {
    return this.#all.size
  }

  /** Adds one. Returns the way to remove it again. */
  add(listener: (...args: Arguments) => void): () => void {
    const passing = new Passing(listener)
    this.#all.add(passing)
    return () => void this.#all.delete(passing)
  }

  /** As {@link Listeners.notify}, for those of this moment. */
  notify(...args: Arguments): void {
    callAll(
      [...this.#all].map(({ listener }) => listener),
      args,
    )
  }
}

class Passing<Arguments extends unknown[]> implements SwapRemoveMember {
  setIndex = NOT_A_MEMBER
  readonly listener: (...args: Arguments) => void

  constructor(listener: (...args: Arguments) => void) {
    this.listener = listener
  }
}

function callAll<Arguments extends unknown[]>(
  listeners: Iterable<(...args: Arguments) => void>,
  args: Arguments,
): void {
  let failure: { error: unknown } | undefined
  for (const listener of listeners) {
    try {
      listener(...args)
    } catch (error) {
      failure ??= { error }
    }
  }
  if (failure !== undefined) throw failure.error
}
