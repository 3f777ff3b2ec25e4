/** A bounded number of places to work, with a bounded queue in the order of arrival. */
export interface Slots {
  /**
   * Waits for a place. Returns the way to give it back (twice is once), or `full` when the queue is full.
   * @throws the signal's reason when it aborts while waiting
   */
  acquire(signal: AbortSignal): Promise<(() => void) | 'full'>
  readonly busy: number
  readonly waiting: number
}

/** `places` at once, at most `queue` waiting. */
export function createSlots(options: { places: number; queue: number }): Slots {
  const queue: (() => void)[] = []
  let busy = 0

  function release(): void {
    const next = queue.shift()
    if (next === undefined) busy -= 1
    else next()
  }

  function ticket(): () => void {
    let given = false
    return () => {
      if (given) return
      given = true
      release()
    }
  }

  return {
    get busy() {
      return busy
    },
    get waiting() {
      return queue.length
    },
    async acquire(signal) {
      signal.throwIfAborted()
      if (busy < options.places) {
        busy += 1
        return ticket()
      }
      if (queue.length >= options.queue) return 'full'
      await new Promise<void>((resolve, reject) => {
        const enter = (): void => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = (): void => {
          queue.splice(queue.indexOf(enter), 1)
          reject(signal.reason as Error)
        }
        queue.push(enter)
        signal.addEventListener('abort', leave, { once: true })
      })
      return ticket()
    },
  }
}
