/** What fairness looks at: who a request is from. */
export interface Waiter {
  readonly peerId: string
}

/** How a peer stands: requests at work now, and when it was last given a place (a counter; 0 is never). */
export interface Standing {
  running: number
  lastTurn: number
}

/**
 * Who gets the place that is free: the peer with the fewest requests at work, among those the one served longest ago;
 * of its requests the oldest. So everyone gets the same share, however many one sends.
 */
export function whoIsNext<W extends Waiter>(
  waiting: readonly W[],
  standingOf: (peerId: string) => Standing,
): W | undefined {
  let best: { waiter: W; standing: Standing } | undefined
  const seen = new Set<string>()
  for (const waiter of waiting) {
    if (seen.has(waiter.peerId)) continue
    seen.add(waiter.peerId)
    const standing = standingOf(waiter.peerId)
    if (best === undefined || isBefore(standing, best.standing)) best = { waiter, standing }
  }
  return best?.waiter
}

function isBefore(a: Standing, b: Standing): boolean {
  return a.running === b.running ? a.lastTurn < b.lastTurn : a.running < b.running
}

/**
 * Who has to leave a full queue so that `peerId` gets in: the last request of the peer that has most in it, unless
 * the newcomer would then have as many. Undefined: the newcomer stays outside.
 */
export function whoMakesRoom<W extends Waiter>(waiting: readonly W[], peerId: string): W | undefined {
  const counts = new Map<string, number>()
  for (const waiter of waiting) counts.set(waiter.peerId, (counts.get(waiter.peerId) ?? 0) + 1)
  const own = counts.get(peerId) ?? 0
  const [greediest, most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0])
  return most > own + 1 ? waiting.findLast((waiter) => waiter.peerId === greediest) : undefined
}
