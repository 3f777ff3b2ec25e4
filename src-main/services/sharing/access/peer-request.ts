import type { AppError } from '#shared/errors.js'
import { NOT_A_MEMBER, type SwapRemoveMember } from '../../../base/swap-remove-set.js'
import type { Asker } from './index.js'

/** One request of a peer from its arrival to the end of its answer. */
export class PeerRequest implements SwapRemoveMember {
  setIndex = NOT_A_MEMBER
  readonly asker: Asker
  #stage: 'arriving' | 'waiting' | 'running' | 'ended' = 'arriving'
  #refusal: AppError | undefined
  #settle: { resolve(outcome: 'granted' | 'left'): void; reject(error: AppError): void } | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #cutListeners: ((reason: AppError) => void)[] = []
  readonly #refusedListeners: ((error: AppError) => void)[] = []

  constructor(asker: Asker) {
    this.asker = asker
  }

  /** Its body is here: it waits for a slot. */
  get isWaiting(): boolean {
    return this.#stage === 'waiting'
  }

  get isRunning(): boolean {
    return this.#stage === 'running'
  }

  get hasEnded(): boolean {
    return this.#stage === 'ended'
  }

  /** Settles with what becomes of it; `begin` runs at once, before the promise is returned. */
  wait(begin: () => void): Promise<'granted' | 'left'> {
    return new Promise((resolve, reject) => {
      if (this.#refusal !== undefined) {
        reject(this.#refusal)
        return
      }
      if (this.#stage !== 'arriving') {
        resolve('left')
        return
      }
      this.#stage = 'waiting'
      this.#settle = { resolve, reject }
      begin()
    })
  }

  /** It has a slot. */
  grant(): void {
    this.stopTimer()
    this.#stage = 'running'
    this.#settle?.resolve('granted')
  }

  /** It gets none, also when it only asks for one later. */
  refuse(error: AppError): void {
    this.stopTimer()
    this.#stage = 'ended'
    this.#refusal = error
    this.#settle?.reject(error)
    for (const listener of this.#refusedListeners) listener(error)
  }

  /** It is over, or its client left. */
  end(): void {
    this.stopTimer()
    this.#stage = 'ended'
    this.#settle?.resolve('left')
  }

  /** Calls `expire` after this time unless it goes on before. */
  startTimer(ms: number, expire: () => void): void {
    this.stopTimer()
    this.#timer = setTimeout(expire, ms)
    this.#timer.unref()
  }

  stopTimer(): void {
    clearTimeout(this.#timer)
  }

  onRefused(listener: (error: AppError) => void): void {
    this.#refusedListeners.push(listener)
  }

  onCut(listener: (reason: AppError) => void): void {
    this.#cutListeners.push(listener)
  }

  cut(reason: AppError): void {
    for (const listener of this.#cutListeners) listener(reason)
  }
}
