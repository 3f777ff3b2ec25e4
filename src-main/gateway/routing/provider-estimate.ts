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
  /** Smoothed time in ms from the first byte of an answer to its last; undefined while never measured. */
  answerMs: number | undefined
  /** How long the longest waiting of this node's requests there has been without a first byte, ms. */
  silentMs: number
}

/** What a peer that was never asked is thought to take: little, so that it gets a chance to show. */
export const UNKNOWN_TTFB_MS = 150

/** Slots of a peer that told none. */
export const DEFAULT_SLOTS = 4

/** How much slower a server that batches begins when its slots are all taken: half as slow again. */
const CROWDING = 0.5

/** How many times its idle time to first byte a provider takes with so many requests at work. */
export function crowding({ inFlight, slots, othersQueued }: Pick<ProviderLoad, 'inFlight' | 'slots' | 'othersQueued'>) {
  const places = Math.max(1, slots)
  return 1 + (CROWDING * Math.min(inFlight + othersQueued, places)) / places
}

/**
 * How long one more request would wait for a slot, ms: each that waits before it, and itself, needs one to come free,
 * and of `slots` requests one ends every `slots`-th part of the time a request takes.
 */
export function queueingMs(load: ProviderLoad): number {
  const places = Math.max(1, load.slots)
  const waiting = Math.max(0, load.inFlight + load.othersQueued + 1 - places)
  return (waiting / places) * ((load.ttfbMs ?? UNKNOWN_TTFB_MS) + (load.answerMs ?? 0))
}

/**
 * Estimated time to first byte in ms: what was measured on a free slot, more where it is crowded, and the wait for a
 * slot. A request that hangs there now is news that no measurement has yet: it takes at least that long.
 */
export function estimatedTtfbMs(load: ProviderLoad): number {
  const estimate = (load.ttfbMs ?? UNKNOWN_TTFB_MS) * crowding(load) + queueingMs(load)
  return Math.max(estimate, load.silentMs)
}
