import type { MonotonicClock } from '../../../../src-main/base/clock.js'

/** Live measurements per provider. */
export interface ProviderScores {
  load(peerId: string): ProviderLoad
  /** A request begins there. */
  begin(peerId: string): ScoredAttempt
  /** The peer reports how busy it is: slots, and requests at work or waiting, this node's among them. */
  reported(peerId: string, status: { slots: number; queued: number }): void
  /**
   * True for a while after the peer refused a request, and while the first request that it ever got from here is
   * without an answer: what was never measured gets one to show itself with.
   */
  refusedLately(peerId: string): boolean
  forget(peerId: string): void
}

/** One request at a provider, as it is scored. */
interface ScoredAttempt {
  /** The first byte came after so many ms. */
  answered(ttfbMs: number): void
  /** The peer refused; it is left alone for a while, and longer each time unless it is known to be full. */
  refused(retryAfterMs?: number): void
  /**
   * It was left before it had answered. Within `patienceMs` that says no more than that the peer takes at least so long;
   * beyond, it kept its answer waiting as {@link ScoredAttempt.stalled} has it.
   */
  left(patienceMs: number): void
  /** It did not answer in time, or stopped in the middle: the peer is left alone as after a refusal. */
  stalled(): void
  /** It is over, in whatever way. Calls after the first do nothing. */
  end(): void
}

interface Score {
  /** When each request that has no first byte yet began; the oldest comes first. */
  waitingSinceMs: { readonly atMs: number }[]
  inFlight: number
  ttfbMs: number | undefined
  answerMs: number | undefined
  measuredAtMs: number
  reported: { slots: number; others: number; atMs: number } | undefined
  refusedUntilMs: number
  /** Refusals and stalls since the last whole answer. */
  refusals: number
}

/** Share of a fresh measurement. */
const ALPHA = 0.3

/** An answer that takes longer counts as one of this length (ms): an open channel is no measure of a queue. */
const MAX_ANSWER_MS = 120_000

/** After this long without a measurement an old one counts half: peers change. */
const HALF_LIFE_MS = 60_000

/** What a peer reports of its load counts that long; its number of slots is kept. */
const REPORT_FOR_MS = 30_000

/** How long a peer that was full is asked last: about what a short answer takes to make room. */
const FULL_FOR_MS = 2_000
const MAX_FULL_FOR_MS = 10_000

/**
 * One that refuses although it says that it has room, or never answered at all, is left alone for so long, twice as long
 * each time: it may do nothing but read what it is sent.
 */
const FIRST_REFUSAL_MS = 10_000
const MAX_REFUSAL_MS = 10 * 60_000

/** Peers remembered; the longest unused idle one is forgotten first. */
const MAX_SCORES = 4_096

/** Scores from what this node measures and what peers report. */
export function createProviderScores(needs: { monotonic: MonotonicClock }): ProviderScores {
  const { monotonic } = needs
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
    load: (peerId) => loadOf(scores.get(peerId) ?? STRANGER, monotonic.elapsedMs()),
    begin(peerId) {
      const score = scoreOf(peerId)
      return beginAttempt(score, monotonic)
    },
    reported(peerId, { slots, queued }) {
      const score = scoreOf(peerId)
      // Its report includes our own requests of that moment.
      score.reported = { slots, others: Math.max(0, queued - score.inFlight), atMs: monotonic.elapsedMs() }
    },
    refusedLately(peerId) {
      const score = scores.get(peerId)
      if (score === undefined) return false
      return score.refusedUntilMs > monotonic.elapsedMs() || (score.ttfbMs === undefined && score.inFlight > 0)
    },
    forget: (peerId) => void scores.delete(peerId),
  }
}

const newScore = (): Score => ({
  waitingSinceMs: [],
  inFlight: 0,
  ttfbMs: undefined,
  answerMs: undefined,
  measuredAtMs: 0,
  reported: undefined,
  refusedUntilMs: 0,
  refusals: 0,
})

const STRANGER: Readonly<Score> = newScore()

function loadOf(score: Readonly<Score>, nowMs: number): ProviderLoad {
  const { reported } = score
  const [oldest] = score.waitingSinceMs
  return {
    inFlight: score.inFlight,
    slots: reported?.slots ?? DEFAULT_SLOTS,
    othersQueued: reported !== undefined && nowMs - reported.atMs <= REPORT_FOR_MS ? reported.others : 0,
    ttfbMs: decayed(score, nowMs),
    answerMs: score.answerMs,
    waitingMs: oldest === undefined ? 0 : Math.max(0, nowMs - oldest.atMs),
  }
}

function beginAttempt(score: Score, monotonic: MonotonicClock): ScoredAttempt {
  const before = loadOf(score, monotonic.elapsedMs())
  const wait = { atMs: monotonic.elapsedMs() }
  score.inFlight += 1
  score.waitingSinceMs.push(wait)
  let answeredAtMs: number | undefined
  let hasStalled = false
  let ended = false

  function endWait(): void {
    const at = score.waitingSinceMs.indexOf(wait)
    if (at !== -1) score.waitingSinceMs.splice(at, 1)
  }

  function measured(ttfbMs: number, { isAtLeast }: { isAtLeast: boolean }): void {
    const now = monotonic.elapsedMs()
    const known = decayed(score, now)
    const fresh = onFreeSlot(ttfbMs, before)
    if (isAtLeast && fresh <= (known ?? UNKNOWN_TTFB_MS)) return
    score.ttfbMs = smoothed(known, fresh)
    score.measuredAtMs = now
  }

  function leaveAlone(): void {
    hasStalled = true
    score.refusals += 1
    score.refusedUntilMs = monotonic.elapsedMs() + backOffMs(score.refusals)
  }

  return {
    answered(ttfbMs) {
      if (answeredAtMs !== undefined || ended) return
      answeredAtMs = monotonic.elapsedMs()
      endWait()
      measured(ttfbMs, { isAtLeast: false })
    },
    left(patienceMs) {
      if (answeredAtMs !== undefined || ended) return
      const waitedMs = monotonic.elapsedMs() - wait.atMs
      measured(waitedMs, { isAtLeast: true })
      if (waitedMs >= patienceMs) leaveAlone()
    },
    stalled() {
      if (ended) return
      if (answeredAtMs === undefined) measured(monotonic.elapsedMs() - wait.atMs, { isAtLeast: true })
      leaveAlone()
    },
    refused(retryAfterMs = FULL_FOR_MS) {
      const now = monotonic.elapsedMs()
      score.refusals += 1
      const fullMs = Math.min(Math.max(retryAfterMs, FULL_FOR_MS), MAX_FULL_FOR_MS)
      score.refusedUntilMs = now + (isKnownFull(score, now) ? fullMs : backOffMs(score.refusals))
    },
    end() {
      if (ended) return
      ended = true
      score.inFlight -= 1
      endWait()
      if (answeredAtMs === undefined) return
      // Not with the first byte: one that begins well and then stalls is not forgiven each time.
      if (!hasStalled) score.refusals = 0
      score.answerMs = smoothed(score.answerMs, Math.min(monotonic.elapsedMs() - answeredAtMs, MAX_ANSWER_MS))
    },
  }
}

const backOffMs = (refusals: number): number =>
  Math.min(FIRST_REFUSAL_MS * 2 ** Math.min(refusals - 1, 10), MAX_REFUSAL_MS)

/** It answered before, and what it reports of itself leaves no slot free. */
function isKnownFull(score: Readonly<Score>, nowMs: number): boolean {
  const { reported } = score
  if (score.ttfbMs === undefined || reported === undefined) return score.ttfbMs !== undefined && score.refusals < 2
  return nowMs - reported.atMs > REPORT_FOR_MS || reported.others + score.inFlight >= reported.slots
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

/** What is known of how soon a provider would begin to answer. */
export interface ProviderLoad {
  /** Requests of this node at work there. */
  inFlight: number
  /** Requests it works on at the same time. */
  slots: number
  /** Requests of others it reports, running and waiting. */
  othersQueued: number
  /** Smoothed time to first byte in ms with a free slot; undefined while never measured. */
  ttfbMs: number | undefined
  /** Smoothed time in ms from the first byte of an answer to its last; undefined while never measured. */
  answerMs: number | undefined
  /** How long the longest waiting of this node's requests there has been without a first byte, ms. */
  waitingMs: number
}

/** What a peer that was never asked is thought to take: little, so that it gets a chance to show. */
const UNKNOWN_TTFB_MS = 150

/** Slots of a peer that reports none. */
export const DEFAULT_SLOTS = 4

/** How much slower a server that batches begins when its slots are all taken: half as slow again. */
const CROWDING = 0.5

/** How many times its idle time to first byte a provider takes with so many requests at work. */
function crowding({ inFlight, slots, othersQueued }: Pick<ProviderLoad, 'inFlight' | 'slots' | 'othersQueued'>) {
  const atLeastOne = Math.max(1, slots)
  return 1 + (CROWDING * Math.min(inFlight + othersQueued, atLeastOne)) / atLeastOne
}

/**
 * How long one more request would wait for a slot, ms: each that waits before it, and itself, needs one to come free,
 * and of `slots` requests one ends every `slots`-th part of the time a request takes.
 */
function queueingMs(load: ProviderLoad): number {
  const slots = Math.max(1, load.slots)
  const waiting = Math.max(0, load.inFlight + load.othersQueued + 1 - slots)
  return (waiting / slots) * ((load.ttfbMs ?? UNKNOWN_TTFB_MS) + (load.answerMs ?? 0))
}

/**
 * Estimated time to first byte in ms: what was measured on a free slot, more where it is crowded, and the wait for a
 * slot. A request that hangs there now is news that no measurement has yet: it takes at least that long.
 */
export function estimatedTtfbMs(load: ProviderLoad): number {
  const estimate = (load.ttfbMs ?? UNKNOWN_TTFB_MS) * crowding(load) + queueingMs(load)
  return Math.max(estimate, load.waitingMs)
}
