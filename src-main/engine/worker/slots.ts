import { AppError } from '#shared/errors.js'
import type { Sequence, Token } from './library.js'

/** Room for one request: a conversation of the context that nobody uses now. */
export interface Slot {
  readonly sequence: Sequence
  /** Tokens at the beginning of the prompt that it has read before. */
  readonly cachedTokens: number
  release(): void
}

interface Waiting {
  tokens: Token[]
  resolve(slot: Slot): void
}

/** The slots of a context. A request gets the one that has read the longest beginning of its prompt. */
export class SlotPool {
  readonly #free: Sequence[]
  readonly #total: number
  readonly #maxWaiting: number
  readonly #waiting: Waiting[] = []

  constructor(sequences: readonly Sequence[], maxWaiting: number) {
    this.#free = [...sequences]
    this.#total = sequences.length
    this.#maxWaiting = maxWaiting
  }

  get total(): number {
    return this.#total
  }

  get busy(): number {
    return this.#total - this.#free.length
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Rejects with `provider_busy` where too many wait, and with the signal's reason when it aborts. */
  async acquire(tokens: Token[], signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted()
    if (this.#free.length > 0) return this.#take(tokens)
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new AppError('provider_busy', 'Every slot of this model is taken and its queue is full.', {
        retryAfterS: 1,
      })
    }
    return new Promise<Slot>((resolve, reject) => {
      const entry: Waiting = { tokens, resolve: take }
      function take(slot: Slot): void {
        signal.removeEventListener('abort', leave)
        resolve(slot)
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(entry)
    })
  }

  #take(tokens: Token[]): Slot {
    let best = 0
    let bestCached = -1
    this.#free.forEach((sequence, index) => {
      const cached = Math.min(sequence.compareContextTokens(tokens).firstDifferentIndex, tokens.length)
      // Of slots that are alike, the emptiest: what another has read may be asked for again.
      const isBetter =
        cached > bestCached ||
        (cached === bestCached && sequence.nextTokenIndex < (this.#free[best]?.nextTokenIndex ?? 0))
      if (isBetter) [best, bestCached] = [index, cached]
    })
    const [sequence] = this.#free.splice(best, 1)
    if (sequence === undefined) throw new Error('a slot was taken of which there was none')
    let isReleased = false
    return {
      sequence,
      cachedTokens: bestCached,
      release: () => {
        if (isReleased) return
        isReleased = true
        this.#free.push(sequence)
        const next = this.#waiting.shift()
        next?.resolve(this.#take(next.tokens))
      },
    }
  }
}
