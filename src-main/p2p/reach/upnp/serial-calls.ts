/** Calls that are made one at a time, in the order they were asked for. */
export class SerialCalls {
  readonly #stopped: AbortSignal
  readonly #onIdle: () => void
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** After `stopped` every call rejects. `onIdle` comes once all are over, and those who asked have acted on it. */
  constructor(stopped: AbortSignal, onIdle: () => void) {
    this.#stopped = stopped
    this.#onIdle = onIdle
  }

  /** Resolves when the calls so far are over. */
  async idle(): Promise<void> {
    await this.#last
  }

  /** What `act` comes to, given a signal that aborts with that of `options` or when all is stopped. */
  async run<T>(options: { signal?: AbortSignal } | undefined, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const given = options?.signal
    const signal = given === undefined ? this.#stopped : AbortSignal.any([given, this.#stopped])
    const before = this.#last
    const over = Promise.withResolvers<undefined>()
    this.#last = over.promise
    this.#waiting += 1
    try {
      await before
      signal.throwIfAborted()
      return await act(signal)
    } finally {
      this.#waiting -= 1
      over.resolve(undefined)
      setImmediate(() => {
        if (this.#waiting === 0 && !this.#stopped.aborted) this.#onIdle()
      })
    }
  }
}
