/** A member of a {@link SwapRemoveSet}, which writes down where it stands. One object can be in one set at a time. */
export interface SwapRemoveMember {
  setIndex: number
}

/** The index of what is in no set. */
export const NOT_A_MEMBER = -1

/**
 * Members in no order, for what comes and goes with each request: the last one fills the gap of one that leaves. A `Set`
 * would do the same, but not for the garbage collector: when a hash table grows, the old one keeps a link to the new
 * one, and an old one that has reached the old generation keeps all younger ones, and every request in them, through
 * many collections of young objects. Measured at 64 requests at a time: 7 ms for such a collection in place of 1.
 */
export class SwapRemoveSet<T extends SwapRemoveMember> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  /** Adds what is in no set yet. */
  add(member: T): void {
    if (member.setIndex !== NOT_A_MEMBER) return
    member.setIndex = this.#members.length
    this.#members.push(member)
  }

  /** Whether it is here. */
  has(member: T): boolean {
    return this.#members[member.setIndex] === member
  }

  /** False when it was not here. */
  delete(member: T): boolean {
    if (!this.has(member)) return false
    const { setIndex } = member
    const last = this.#members.pop()
    if (last !== undefined && last !== member) {
      this.#members[setIndex] = last
      last.setIndex = setIndex
    }
    member.setIndex = NOT_A_MEMBER
    return true
  }

  /** The members of this moment. */
  [Symbol.iterator](): IterableIterator<T> {
    return [...this.#members].values()
  }
}
