import type { AppError } from '#shared/errors.js'
import { NOT_A_MEMBER, type SwapRemoveMember } from '../../../base/memory/swap-remove-set.js'
import type { Rank } from './ranks.js'
import type { ArrivingBody, Asker } from './index.js'

/** Bytes that come of a body in each {@link PACE_MS}: 1 KiB a second. */
const LEAST_BYTES = 40 * 1024
/** A frame of yamux' whole window, 256 KiB, shows only when all of it is here: 33 s on a line of 64 kbit/s. */
const PACE_MS = 40_000
/** How often a body that is read before it is passed on may be looked at: it has two minutes. */
const MOST_LOOKS = 3

let begun = 0

/** One request of a peer from its arrival to the end of its answer. */
export class PeerRequest implements SwapRemoveMember {
  setIndex = NOT_A_MEMBER
  /** Lower than that of every request that came later. */
  readonly number: number
  readonly asker: Asker
  /** How its peer stood when it got its slot. */
  rank: Rank | undefined
  readonly #body: ArrivingBody
  #stage: 'arriving' | 'waiting' | 'running' | 'ended' = 'arriving'
  #refusal: AppError | undefined
  #settle: { resolve(outcome: 'granted' | 'left'): void; reject(error: AppError): void } | undefined
  #timer: NodeJS.Timeout | undefined
  #paceTimer: NodeJS.Timeout | undefined
  readonly #cutListeners: ((reason: AppError) => void)[] = []
  readonly #refusedListeners: ((error: AppError) => void)[] = []

  constructor(asker: Asker, body: ArrivingBody) {
    begun += 1
    this.number = begun
    this.asker = asker
    this.#body = body
  }

  /** Its body is on its way, and is read before it asks for a slot. */
  get isArriving(): boolean {
    return this.#stage === 'arriving'
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
      if (this.#body.isHere) clearTimeout(this.#paceTimer)
      this.#settle = { resolve, reject }
      begin()
    })
  }

  /** It has a slot. */
  grant(): void {
    clearTimeout(this.#timer)
    this.#stage = 'running'
    this.#settle?.resolve('granted')
  }

  /** It gets none, also when it only asks for one later. */
  refuse(error: AppError): void {
    this.#stopTimers()
    this.#stage = 'ended'
    this.#refusal = error
    this.#settle?.reject(error)
    for (const listener of this.#refusedListeners) listener(error)
  }

  /** It is over, or its client left. */
  end(): void {
    this.#stopTimers()
    this.#stage = 'ended'
    this.#settle?.resolve('left')
  }

  /** Calls `expire` after this time unless it goes on before. */
  startTimer(ms: number, expire: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(expire, ms)
    this.#timer.unref()
  }

  /**
   * Calls `onSlow` once when its body comes by less than 1 KiB a second, or is not here after two minutes. What waits
   * here for a server to take it is not held against it.
   */
  watchPace(onSlow: () => void): void {
    let bytes = this.#body.bytesCome
    let looks = 0
    const look = (): void => {
      const { bytesCome, isHere, isHeldUp } = this.#body
      if (isHere || this.#stage === 'ended') return
      looks += 1
      const isSlow = !isHeldUp && bytesCome - bytes < LEAST_BYTES
      if (isSlow || (this.isArriving && looks >= MOST_LOOKS)) {
        onSlow()
        return
      }
      bytes = bytesCome
      this.#paceTimer?.refresh()
    }
    this.#paceTimer = setTimeout(look, PACE_MS)
    this.#paceTimer.unref()
  }

  #stopTimers(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#paceTimer)
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
