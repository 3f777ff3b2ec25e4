/** A transfer that has to move. */
export interface StallWatch {
  /** To be set with each byte that comes. */
  moved: boolean
  stop(): void
}

class Watched implements StallWatch {
  moved = true
  readonly onStall: () => void
  readonly #round: Set<Watched>

  constructor(onStall: () => void, round: Set<Watched>) {
    this.onStall = onStall
    this.#round = round
  }

  stop(): void {
    this.#round.delete(this)
  }
}

/** By length of the wait, of which a program has one or two: a timer for each request would cost more than its body. */
const rounds = new Map<number, Set<Watched>>()

/** Calls `onStall` once when nothing moved for `stallMs`, at the latest after twice that. */
export function watchForStall(onStall: () => void, stallMs: number): StallWatch {
  const round = rounds.get(stallMs) ?? startRound(stallMs)
  const watched = new Watched(onStall, round)
  round.add(watched)
  return watched
}

function startRound(stallMs: number): Set<Watched> {
  const round = new Set<Watched>()
  rounds.set(stallMs, round)
  const timer = setInterval(() => {
    if (round.size === 0) {
      clearInterval(timer)
      rounds.delete(stallMs)
      return
    }
    for (const watched of round) {
      if (watched.moved) watched.moved = false
      else {
        watched.stop()
        watched.onStall()
      }
    }
  }, stallMs).unref()
  return round
}
