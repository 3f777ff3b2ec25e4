/** A member of a {@link Bag}: the bag writes down where it stands. One object can be in one bag at a time. */
export interface Placed {
  place: number
}

/** The place of what is in no bag. */
export const NOWHERE = -1

/**
 * Members in no order, for what comes and goes with each request. A `Set` would do the same, but not for the garbage
 * collector: when a hash table is made anew, the old one keeps a link to the new one, and an old one that has reached
 * the old generation so keeps all younger ones, and every request in them, through many collections of young objects.
 * Measured at 64 requests at a time: 7 ms for such a collection in place of 1.
 */
export class Bag<T extends Placed> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  /** Adds what is in no bag yet. */
  add(member: T): void {
    if (member.place !== NOWHERE) return
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** The last member takes the place of the one that leaves. False when it was not here. */
  delete(member: T): boolean {
    const { place } = member
    if (this.#members[place] !== member) return false
    const last = this.#members.pop()
    if (last !== undefined && last !== member) {
      this.#members[place] = last
      last.place = place
    }
    member.place = NOWHERE
    return true
  }

  /** The members of this moment. */
  [Symbol.iterator](): IterableIterator<T> {
    return [...this.#members].values()
  }
}
