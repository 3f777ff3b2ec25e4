import { setImmediate as nextTurn } from 'node:timers/promises'

interface Timer {
  atMs: number
  order: number
  call: () => void
  everyMs: number | undefined
}

/**
 * Runs asynchronous code of the program in virtual time: timers of the process belong to it from {@link install} to
 * {@link uninstall}, and each is due once everything before it has run out of work.
 */
export class VirtualTimers {
  nowMs = 0
  readonly #timers = new Map<number, Timer>()
  readonly #onTime: (nowMs: number) => void
  #count = 0
  #originals: { name: 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval'; value: unknown }[] = []
  readonly #signalTimeout = AbortSignal.timeout.bind(AbortSignal)

  /** `onTime` hears what time it is before anything due then is run. */
  constructor(onTime: (nowMs: number) => void) {
    this.#onTime = onTime
  }

  install(): void {
    const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const
    this.#originals = names.map((name) => ({ name, value: globalThis[name] }))
    const start =
      (isRepeated: boolean) =>
      (call: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
        this.#start(() => call(...args), ms, isRepeated ? ms : undefined)
    const stop = (timer: unknown): void => void this.#timers.delete(Number(timer))
    Object.assign(globalThis, {
      setTimeout: start(false),
      setInterval: start(true),
      clearTimeout: stop,
      clearInterval: stop,
    })
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController()
      this.#start(() => controller.abort(new DOMException('timed out', 'TimeoutError')), ms, undefined)
      return controller.signal
    }
  }

  uninstall(): void {
    for (const { name, value } of this.#originals) Object.assign(globalThis, { [name]: value })
    AbortSignal.timeout = this.#signalTimeout
    this.#timers.clear()
  }

  /** Resolves after so long. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#start(resolve, ms, undefined))
  }

  /** What the work gives, once virtual time has brought it there. */
  async run<Result>(work: Promise<Result>): Promise<Result> {
    const done = new AbortController()
    const end = (): void => done.abort()
    work.then(end, end)
    for (;;) {
      await nextTurn()
      if (done.signal.aborted) return await work
      const next = this.#earliest()
      if (next === undefined) throw new Error('the simulated work waits for nothing')
      this.nowMs = Math.max(this.nowMs, next.timer.atMs)
      this.#onTime(this.nowMs)
      if (next.timer.everyMs === undefined) this.#timers.delete(next.id)
      else next.timer.atMs += next.timer.everyMs
      next.timer.call()
    }
  }

  /** What is still to come does not. */
  clear(): void {
    this.#timers.clear()
  }

  #start(call: () => void, ms: number, everyMs: number | undefined): object {
    this.#count += 1
    const id = this.#count
    this.#timers.set(id, { atMs: this.nowMs + Math.max(0, ms), order: id, call, everyMs })
    const timer = { unref: () => timer, ref: () => timer, [Symbol.toPrimitive]: () => id }
    return timer
  }

  #earliest(): { id: number; timer: Timer } | undefined {
    let found: { id: number; timer: Timer } | undefined
    for (const [id, timer] of this.#timers) {
      const isSooner =
        found === undefined ||
        timer.atMs < found.timer.atMs ||
        (timer.atMs === found.timer.atMs && timer.order < found.timer.order)
      if (isSooner) found = { id, timer }
    }
    return found
  }
}
