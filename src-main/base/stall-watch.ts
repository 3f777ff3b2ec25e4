import { SwapRemoveSet, NOT_A_MEMBER, type SwapRemoveMember } from './memory/swap-remove-set.js'

/** A transfer that has to move. */
export interface StallWatch {
  /** To be set with each byte that comes. */
  moved: boolean
  stop(): void
}

class Watched implements StallWatch, SwapRemoveMember {
  moved = true
  /** Looks since something moved. */
  stillLooks = 0
  setIndex = NOT_A_MEMBER
  readonly onStall: () => void
  readonly #round: SwapRemoveSet<Watched>

  constructor(onStall: () => void, round: SwapRemoveSet<Watched>) {
    this.onStall = onStall
    this.#round = round
  }

  stop(): void {
    this.#round.delete(this)
  }
}

/** By length of the wait, of which a program has one or two: a timer for each request would cost more than its body. */
const rounds = new Map<number, SwapRemoveSet<Watched>>()

const LOOKS = 10

/** Calls `onStall` once when nothing moved for `stallMs`, at most a tenth of that and 10 ms too late. */
export function watchForStall(onStall: () => void, stallMs: number): StallWatch {
  const round = rounds.get(stallMs) ?? startRound(stallMs)
  const watched = new Watched(onStall, round)
  round.add(watched)
  return watched
}

function startRound(stallMs: number): SwapRemoveSet<Watched> {
  const round = new SwapRemoveSet<Watched>()
  rounds.set(stallMs, round)
  const timer = setInterval(
    () => {
      if (round.size === 0) {
        clearInterval(timer)
        rounds.delete(stallMs)
        return
      }
      for (const watched of round) {
        if (watched.moved) watched.stillLooks = 0
        watched.moved = false
        watched.stillLooks += 1
        // It may have moved at any time since the look before the first of these.
        // One that was stopped by another's end in this very round is in it no more.
        if (watched.stillLooks > LOOKS && round.delete(watched)) watched.onStall()
      }
    },
    Math.ceil(stallMs / LOOKS),
  ).unref()
  return round
}
