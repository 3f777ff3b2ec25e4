import type { Clock } from '../../base/clock.js'
import { crowding, DEFAULT_SLOTS, queueingMs, UNKNOWN_TTFB_MS, type ProviderLoad } from './provider-estimate.js'

/** Live measurements per provider. */
export interface ProviderScores {
  load(peerId: string): ProviderLoad
  /** A request begins there. */
  begin(peerId: string): ScoredTry
  /** The peer told how busy it is: places and requests at work or waiting, this node's among them. */
  told(peerId: string, status: { slots: number; queued: number }): void
  /** True for a moment after the peer refused a request because it was full. */
  refusedLately(peerId: string): boolean
  forget(peerId: string): void
}

/** One request at a provider, as it is scored. */
interface ScoredTry {
  /** The first byte came after so many ms. */
  answered(ttfbMs: number): void
  /** The peer said that it is full; leave it alone for `retryAfterMs` where it told that. */
  refused(retryAfterMs?: number): void
  /** It is over, in whatever way. Calls after the first do nothing. */
  end(): void
}

interface Score {
  /** When each request that has no first byte yet began; the oldest comes first. */
  silentSinceMs: { readonly atMs: number }[]
  inFlight: number
  ttfbMs: number | undefined
  answerMs: number | undefined
  measuredAtMs: number
  told: { slots: number; others: number; atMs: number } | undefined
  refusedUntilMs: number
}

/** Share of a fresh measurement. */
const ALPHA = 0.3

/** An answer that takes longer counts as one of this length (ms): an open channel is no measure of a queue. */
const MAX_ANSWER_MS = 120_000

/** After this long without a measurement an old one counts half: peers change. */
const HALF_LIFE_MS = 60_000

/** What a peer told of its load counts that long; its number of places is kept. */
const TOLD_FOR_MS = 30_000

/** How long a peer that was full is asked last: about what a short answer takes to make room. */
const FULL_FOR_MS = 2_000
const MAX_FULL_FOR_MS = 10_000

/** Peers remembered; the longest unused idle one is forgotten first. */
const MAX_SCORES = 4_096

/** Scores from what this node measures and what peers tell of themselves. */
export function createProviderScores(needs: { clock: Clock }): ProviderScores {
  const { clock } = needs
  const scores = new Map<string, Score>()

  function scoreOf(peerId: string): Score {
    let score = scores.get(peerId)
    if (score === undefined) {
      score = newScore()
      if (scores.size >= MAX_SCORES) forgetOldestIdle(scores)
      scores.set(peerId, score)
    }
    return score
  }

  return {
    load: (peerId) => loadOf(scores.get(peerId) ?? STRANGER, clock.now()),
    begin(peerId) {
      const score = scoreOf(peerId)
      return beginTry(score, clock)
    },
    told(peerId, { slots, queued }) {
      const score = scoreOf(peerId)
      // What it told includes our own requests of that moment.
      score.told = { slots, others: Math.max(0, queued - score.inFlight), atMs: clock.now() }
    },
    refusedLately: (peerId) => (scores.get(peerId)?.refusedUntilMs ?? 0) > clock.now(),
    forget: (peerId) => void scores.delete(peerId),
  }
}

const newScore = (): Score => ({
  silentSinceMs: [],
  inFlight: 0,
  ttfbMs: undefined,
  answerMs: undefined,
  measuredAtMs: 0,
  told: undefined,
  refusedUntilMs: 0,
})

const STRANGER: Readonly<Score> = newScore()

function loadOf(score: Readonly<Score>, nowMs: number): ProviderLoad {
  const { told } = score
  const [oldest] = score.silentSinceMs
  return {
    inFlight: score.inFlight,
    slots: told?.slots ?? DEFAULT_SLOTS,
    othersQueued: told !== undefined && nowMs - told.atMs <= TOLD_FOR_MS ? told.others : 0,
    ttfbMs: decayed(score, nowMs),
    answerMs: score.answerMs,
    silentMs: oldest === undefined ? 0 : Math.max(0, nowMs - oldest.atMs),
  }
}

function beginTry(score: Score, clock: Clock): ScoredTry {
  const before = loadOf(score, clock.now())
  const silent = { atMs: clock.now() }
  score.inFlight += 1
  score.silentSinceMs.push(silent)
  let answeredAtMs: number | undefined
  let ended = false

  function speak(): void {
    const at = score.silentSinceMs.indexOf(silent)
    if (at !== -1) score.silentSinceMs.splice(at, 1)
  }

  return {
    answered(ttfbMs) {
      if (answeredAtMs !== undefined || ended) return
      const now = clock.now()
      answeredAtMs = now
      speak()
      const known = decayed(score, now)
      const measured = onFreeSlot(ttfbMs, before)
      score.ttfbMs = smoothed(known, measured)
      score.measuredAtMs = now
    },
    refused(retryAfterMs = FULL_FOR_MS) {
      score.refusedUntilMs = clock.now() + Math.min(retryAfterMs, MAX_FULL_FOR_MS)
    },
    end() {
      if (ended) return
      ended = true
      score.inFlight -= 1
      speak()
      if (answeredAtMs === undefined) return
      score.answerMs = smoothed(score.answerMs, Math.min(clock.now() - answeredAtMs, MAX_ANSWER_MS))
    },
  }
}

/** The part of a measured time to first byte that is not the wait and the crowd it was expected to meet. */
function onFreeSlot(ttfbMs: number, before: ProviderLoad): number {
  const withoutWait = Math.max(ttfbMs - queueingMs(before), Math.min(ttfbMs, before.ttfbMs ?? UNKNOWN_TTFB_MS))
  return withoutWait / crowding(before)
}

const smoothed = (before: number | undefined, fresh: number): number =>
  before === undefined ? fresh : before + ALPHA * (fresh - before)

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
