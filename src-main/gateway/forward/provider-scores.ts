import type { Clock } from '../../clock.js'

/** What is known of how soon a provider would begin to answer. */
export interface ProviderLoad {
  /** Requests of this node at work there. */
  inFlight: number
  /** Requests it works on at the same time. */
  slots: number
  /** Requests of others it told of, running and waiting. */
  othersQueued: number
  /** Smoothed time to first byte in ms with a free slot; undefined while never measured. */
  ttfbMs: number | undefined
}

/** What a peer that was never asked is thought to take: little, so that it gets a chance to show. */
export const UNKNOWN_TTFB_MS = 150

/** Slots of a peer that told none. */
export const DEFAULT_SLOTS = 4

/**
 * Estimated time to first byte in ms. With a free slot it is what was measured; without one, each round of requests
 * ahead costs another.
 */
export function estimatedTtfbMs({ inFlight, slots, othersQueued, ttfbMs }: ProviderLoad): number {
  const ahead = inFlight + othersQueued
  const roundsAhead = Math.floor(ahead / Math.max(1, slots))
  // A little for each request at work: batching servers slow down before they are full.
  const crowding = 1 + (0.1 * Math.min(ahead, slots)) / Math.max(1, slots)
  return (ttfbMs ?? UNKNOWN_TTFB_MS) * (crowding + 2 * roundsAhead)
}

/** Live measurements per provider. */
export interface ProviderScores {
  load(peerId: string): ProviderLoad
  /** A request begins there; call the result once, with its time to first byte where it answered. */
  begin(peerId: string): (ttfbMs: number | undefined) => void
  forget(peerId: string): void
}

interface Score {
  inFlight: number
  ttfbMs: number | undefined
  measuredAtMs: number
}

/** Share of a fresh measurement. */
const ALPHA = 0.3

/** After this long without a measurement an old one counts half: peers change. */
const HALF_LIFE_MS = 60_000

/** Peers remembered; the longest unused idle one is forgotten first. */
const MAX_SCORES = 4_096

/** Scores measured by this node alone. `told` adds what a peer says of itself. */
export function createProviderScores(needs: {
  clock: Clock
  told?: (peerId: string) => { slots: number; queued: number } | undefined
}): ProviderScores {
  const { clock } = needs
  const scores = new Map<string, Score>()

  function scoreOf(peerId: string): Score {
    let score = scores.get(peerId)
    if (score === undefined) {
      score = { inFlight: 0, ttfbMs: undefined, measuredAtMs: 0 }
      if (scores.size >= MAX_SCORES) forgetOldestIdle(scores)
      scores.set(peerId, score)
    }
    return score
  }

  return {
    load(peerId) {
      const score = scores.get(peerId)
      const told = needs.told?.(peerId)
      const ownInFlight = score?.inFlight ?? 0
      return {
        inFlight: ownInFlight,
        slots: told?.slots ?? DEFAULT_SLOTS,
        // What it told includes our own requests.
        othersQueued: Math.max(0, (told?.queued ?? 0) - ownInFlight),
        ttfbMs: score === undefined ? undefined : decayed(score, clock.now()),
      }
    },
    begin(peerId) {
      const score = scoreOf(peerId)
      score.inFlight += 1
      let ended = false
      return (ttfbMs) => {
        if (ended) return
        ended = true
        score.inFlight -= 1
        if (ttfbMs === undefined) return
        const now = clock.now()
        const before = decayed(score, now)
        score.ttfbMs = before === undefined ? ttfbMs : before + ALPHA * (ttfbMs - before)
        score.measuredAtMs = now
      }
    },
    forget: (peerId) => void scores.delete(peerId),
  }
}

/** An old measurement drifts back to what is thought of a stranger. */
function decayed({ ttfbMs, measuredAtMs }: Score, nowMs: number): number | undefined {
  if (ttfbMs === undefined) return undefined
  const weight = 0.5 ** (Math.max(0, nowMs - measuredAtMs) / HALF_LIFE_MS)
  return UNKNOWN_TTFB_MS + weight * (ttfbMs - UNKNOWN_TTFB_MS)
}

function forgetOldestIdle(scores: Map<string, Score>): void {
  for (const [peerId, { inFlight }] of scores) {
    if (inFlight > 0) continue
    scores.delete(peerId)
    return
  }
}
