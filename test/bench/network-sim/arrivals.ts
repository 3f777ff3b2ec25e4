/** Messages on their way, the next to arrive first. Numbers in typed arrays: most of the simulator's time goes by here. */
export class Arrivals {
  #times = new Float64Array(4096)
  #froms = new Int32Array(4096)
  #tos = new Int32Array(4096)
  #size = 0
  /** What {@link Arrivals.take} has taken out. */
  atMs = 0
  from = 0
  to = 0

  push(atMs: number, from: number, to: number): void {
    if (this.#size === this.#times.length) this.#grow()
    const times = this.#times
    let index = this.#size
    this.#size += 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if ((times[parent] as number) <= atMs) break
      this.#copy(parent, index)
      index = parent
    }
    this.#put(index, atMs, from, to)
  }

  /** Takes the next one out; false where there is none. */
  take(): boolean {
    if (this.#size === 0) return false
    this.atMs = this.#times[0] as number
    this.from = this.#froms[0] as number
    this.to = this.#tos[0] as number
    this.#size -= 1
    if (this.#size > 0) this.#sink()
    return true
  }

  /** The last one goes where it belongs, from the top down. */
  #sink(): void {
    const times = this.#times
    const size = this.#size
    const atMs = times[size] as number
    let index = 0
    for (let child = 1; child < size; child = 2 * index + 1) {
      if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child += 1
      if ((times[child] as number) >= atMs) break
      this.#copy(child, index)
      index = child
    }
    this.#put(index, atMs, this.#froms[size] as number, this.#tos[size] as number)
  }

  #copy(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number
    this.#froms[to] = this.#froms[from] as number
    this.#tos[to] = this.#tos[from] as number
  }

  #put(index: number, atMs: number, from: number, to: number): void {
    this.#times[index] = atMs
    this.#froms[index] = from
    this.#tos[index] = to
  }

  #grow(): void {
    const bigger = <T extends Float64Array | Int32Array>(old: T, made: T): T => {
      made.set(old)
      return made
    }
    const size = this.#times.length * 2
    this.#times = bigger(this.#times, new Float64Array(size))
    this.#froms = bigger(this.#froms, new Int32Array(size))
    this.#tos = bigger(this.#tos, new Int32Array(size))
  }
}
