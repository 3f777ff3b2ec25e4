import type { PaceFigures } from './pace.js'

/** What is known of how busy a provider is. */
export interface ProviderLoad {
  /** Requests of this node at work there. */
  inFlight: number
  /** Requests it works on at the same time. */
  slots: number
  /** Requests of others it reports, running and waiting. */
  othersQueued: number
  /** Smoothed time in ms that one request has a slot there. */
  holdMs: number
  /** How long the longest waiting of this node's requests there has been without a first byte, ms. */
  waitingMs: number
  /** To it and back, ms. */
  rttMs: number
}

/** Estimated time to the first byte of an answer, by its causes, in ms. */
export interface Estimate {
  rttMs: number
  /** What a request takes beside its tokens. */
  fixedMs: number
  /** For the part of the prompt that it has not read before. */
  readMs: number
  /** Until a slot is free. */
  queueMs: number
  /** A request hangs there: it takes at least that long, whatever was measured. */
  hangMs: number
  totalMs: number
  /** How long later requests wait because it takes a slot, ms. Not part of its own wait, but the choice counts it. */
  othersMs: number
  /** How far off estimates of this provider are, as a share of them. */
  spread: number
}

/** Slots of a peer that reports none. */
export const DEFAULT_SLOTS = 4

/** How much slower a server that batches begins when its slots are all taken: half as slow again. */
const CROWDING = 0.5

/** How many times its idle time to first byte a provider takes with so many requests at work. */
export function crowding({ inFlight, slots, othersQueued }: Pick<ProviderLoad, 'inFlight' | 'slots' | 'othersQueued'>) {
  const atLeastOne = Math.max(1, slots)
  return 1 + (CROWDING * Math.min(inFlight + othersQueued, atLeastOne)) / atLeastOne
}

/**
 * How long one more request would wait for a slot, ms: each that waits before it, and itself, needs one to come free,
 * and of `slots` requests one ends every `slots`-th part of the time a request takes.
 */
export function queueingMs(load: Pick<ProviderLoad, 'inFlight' | 'slots' | 'othersQueued' | 'holdMs'>): number {
  const slots = Math.max(1, load.slots)
  const waiting = Math.max(0, load.inFlight + load.othersQueued + 1 - slots)
  return (waiting / slots) * load.holdMs
}

/**
 * What the next ones lose by a slot that is taken, ms: one comes free in every `slots`-th part of the time a request
 * takes, and the fuller a provider is, the likelier somebody waits for it. Without it all go to the best one until it
 * is no better than the second, and the prompts that need it most find it full. More slots than {@link DEFAULT_SLOTS}
 * are a peer's word, and count for nothing here.
 */
function othersMs(load: Pick<ProviderLoad, 'inFlight' | 'slots' | 'othersQueued' | 'holdMs'>): number {
  const slots = Math.min(Math.max(1, load.slots), DEFAULT_SLOTS)
  const filled = Math.min(1, (load.inFlight + load.othersQueued + 1) / slots)
  return (filled ** 2 * load.holdMs) / slots
}

/** What a request asks of a provider. */
export interface Work {
  /** What was asked for, as an `offerKey`: providers are measured for each apart. */
  offer: string
  /** Tokens of its prompt that the provider has to read. */
  unreadTokens: number
}

/** The part of a provider's fixed time that is the way to it: measurements count more than what pings say. */
export const travelMs = (load: Pick<ProviderLoad, 'rttMs'>, pace: Readonly<PaceFigures>): number =>
  Math.min(load.rttMs, pace.fixedMs)

/** What a request with so many unread tokens may expect there. */
export function estimateOf(load: ProviderLoad, pace: Readonly<PaceFigures>, unreadTokens: number): Estimate {
  const crowd = crowding(load)
  const rttMs = travelMs(load, pace)
  const fixedMs = (pace.fixedMs - rttMs) * crowd
  const readMs = (unreadTokens / 1000) * pace.perThousandMs * crowd
  const queueMs = queueingMs(load)
  const total = rttMs + fixedMs + readMs + queueMs
  const hangMs = Math.max(0, load.waitingMs - total)
  // A short request does not go far for what it hardly takes: no more than its own wait counts for others.
  const forOthersMs = Math.min(othersMs(load), total)
  return {
    rttMs,
    fixedMs,
    readMs,
    queueMs,
    hangMs,
    totalMs: total + hangMs,
    othersMs: forOthersMs,
    spread: pace.spread,
  }
}

/** How long a request has a slot at a provider that has answered none yet. */
const UNKNOWN_HOLD_MS = 5_000
/** Tokens of an answer, about: so many come within {@link UNKNOWN_HOLD_MS} from one that writes 50 in a second. */
const ANSWER_TOKENS = 250
const MOST_SAID_HOLD_MS = 120_000

/** The same where its owner measured how fast it writes: longer than of one that says nothing, and never shorter. */
export function saidHoldMs(tokensPerS: number): number {
  return Math.min(Math.max(UNKNOWN_HOLD_MS, (ANSWER_TOKENS * 1000) / tokensPerS), MOST_SAID_HOLD_MS)
}

/** A peer whose distance was never measured. */
const UNKNOWN_RTT_MS = 50

/** Nothing is known of it. */
export const STRANGER_LOAD: Readonly<ProviderLoad> = {
  ...{ inFlight: 0, slots: DEFAULT_SLOTS, othersQueued: 0 },
  ...{ holdMs: UNKNOWN_HOLD_MS, waitingMs: 0, rttMs: UNKNOWN_RTT_MS },
}
