/** A bounded number of slots to work in, with a bounded queue in the order of arrival. */
export class Slots {
  readonly #queue: (() => void)[] = []
  readonly #maxQueued: number
  #free: number

  /** `count` at once, at most `maxQueued` waiting. */
  constructor(count: number, maxQueued: number) {
    this.#free = count
    this.#maxQueued = maxQueued
  }

  /**
   * Waits for a slot. Returns the way to release it (twice is once), or `full` when the queue is full.
   * @throws the signal's reason when it aborts while waiting
   */
  async acquire(signal: AbortSignal): Promise<(() => void) | 'full'> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else if (this.#queue.length >= this.#maxQueued) return 'full'
    else await this.#wait(signal)
    let held = true
    return () => {
      if (held) this.#release()
      held = false
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(enter), 1)
        reject(signal.reason as Error)
      }
      this.#queue.push(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #release(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
