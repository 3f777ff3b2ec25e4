/** What is to happen when, in virtual time; what is due at one moment happens in the order it was put in. */
export class EventQueue {
  #atMs = new Float64Array(1024)
  #order = new Float64Array(1024)
  #kind = new Uint8Array(1024)
  #node = new Int32Array(1024)
  #size = 0
  #count = 0

  get size(): number {
    return this.#size
  }

  /** When the next one is due; Infinity for none. */
  get nextMs(): number {
    return this.#size === 0 ? Infinity : (this.#atMs[0] ?? Infinity)
  }

  push(atMs: number, kind: number, node: number): void {
    if (this.#size === this.#atMs.length) this.#grow()
    let index = this.#size
    this.#size += 1
    this.#count += 1
    const order = this.#count
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#isBefore(atMs, order, parent)) break
      this.#move(parent, index)
      index = parent
    }
    this.#set(index, atMs, order, kind, node)
  }

  /** Takes the next one out. */
  pop(): { atMs: number; kind: number; node: number } {
    const top = { atMs: this.#atMs[0] ?? 0, kind: this.#kind[0] ?? 0, node: this.#node[0] ?? 0 }
    this.#size -= 1
    const last = this.#size
    const [atMs, order] = [this.#atMs[last] ?? 0, this.#order[last] ?? 0]
    const [kind, node] = [this.#kind[last] ?? 0, this.#node[last] ?? 0]
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= last) break
      if (child + 1 < last && this.#isBefore(this.#atMs[child + 1] ?? 0, this.#order[child + 1] ?? 0, child)) child += 1
      if (this.#isBefore(atMs, order, child)) break
      this.#move(child, index)
      index = child
    }
    this.#set(index, atMs, order, kind, node)
    return top
  }

  #isBefore(atMs: number, order: number, index: number): boolean {
    const other = this.#atMs[index] ?? 0
    return atMs < other || (atMs === other && order < (this.#order[index] ?? 0))
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#atMs[from] ?? 0, this.#order[from] ?? 0, this.#kind[from] ?? 0, this.#node[from] ?? 0)
  }

  #set(index: number, atMs: number, order: number, kind: number, node: number): void {
    this.#atMs[index] = atMs
    this.#order[index] = order
    this.#kind[index] = kind
    this.#node[index] = node
  }

  #grow(): void {
    const bigger = <T extends Float64Array | Uint8Array | Int32Array>(old: T, made: T): T => {
      made.set(old)
      return made
    }
    const size = this.#atMs.length * 2
    this.#atMs = bigger(this.#atMs, new Float64Array(size))
    this.#order = bigger(this.#order, new Float64Array(size))
    this.#kind = bigger(this.#kind, new Uint8Array(size))
    this.#node = bigger(this.#node, new Int32Array(size))
  }
}
