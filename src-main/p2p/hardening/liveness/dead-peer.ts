// How liveness-watch.ts judges; goes with it.

/** How long a connection in use may be quiet (ms) before its other end is asked for an answer. */
export const ASK_AFTER_MS = 3_000

/** How long an answer may take (ms): a slow line with a full queue, or a peer whose machine swaps, needs seconds. */
export const ANSWER_WITHIN_MS = 5_000

/** A check that comes so late (ms after the last one) says more about this machine than about its peers. */
export const LATE_MS = 2_500

/** Bytes a millisecond that even a poor line carries. */
const SLOWEST_LINE = 8
/** A sender is not ahead of the other end by more: yamux' first window, which grows only where the line is quick. */
export const MAX_QUEUED_BYTES = 256 * 1024

/**
 * How long an acknowledgement of the transport itself may take (ms), of round trips the longest. Nothing is cut after it:
 * others are asked first, and what nobody has begun to answer goes on to them.
 */
const ACKNOWLEDGED_WITHIN_MS = 250
const ACKNOWLEDGED_WITHIN_ROUND_TRIPS = 4

/** When something that was sent over a connection with that round trip (ms) should have been acknowledged. */
export const acknowledgedWithinMs = (roundTripMs = 0): number =>
  Math.max(ACKNOWLEDGED_WITHIN_MS, ACKNOWLEDGED_WITHIN_ROUND_TRIPS * roundTripMs)

/** How quiet a connection in use has been. */
export interface Liveness {
  quietMs: number
  /** How long ago its other end was asked for an answer, and how long the answer may take (ms). */
  asked: { agoMs: number; withinMs: number } | undefined
  /** Bytes of ours that may still wait for a poor line, in buffers of the kernel and routers, out of sight. */
  queuedBytes: number
}

/** What is seen of a connection since the last check. */
export interface Check {
  sinceLastMs: number
  /** True when a byte of any kind came in. */
  isHeard: boolean
  /** Bytes of ours the network took, out of those that waited for it at the last check. */
  takenBytes: number
  /** Bytes of ours that were written since. */
  writtenBytes: number
}

/** What follows from a check. */
export type Verdict = 'alive' | 'quiet' | 'ask' | 'dead'

/** A connection whose other end was heard just now. */
export const heardNow = (queuedBytes = 0): Liveness => ({ quietMs: 0, asked: undefined, queuedBytes })

/** A connection whose other end is asked this moment. The question waits behind what was not sent yet. */
export const askedNow = (before: Liveness): Liveness => ({
  ...before,
  asked: { agoMs: 0, withinMs: ANSWER_WITHIN_MS + before.queuedBytes / SLOWEST_LINE },
})

function queuedAfter({ queuedBytes }: Liveness, { sinceLastMs, writtenBytes }: Check): number {
  const left = queuedBytes + writtenBytes - Math.max(0, sinceLastMs) * SLOWEST_LINE
  return Math.min(Math.max(0, left), MAX_QUEUED_BYTES)
}

/**
 * Whether the other end of a connection is still there. Bytes that come in prove it, and so do bytes the network takes
 * out of a full send buffer. A check that comes late starts anew: this machine slept or was busy, and what came in
 * meanwhile may not have been read yet.
 */
export function judge(before: Liveness, check: Check): { liveness: Liveness; verdict: Verdict } {
  const { sinceLastMs, isHeard, takenBytes } = check
  const queuedBytes = queuedAfter(before, check)
  const isLate = sinceLastMs < 0 || sinceLastMs > LATE_MS
  if (isHeard || isLate || takenBytes > 0) {
    return { liveness: heardNow(queuedBytes), verdict: 'alive' }
  }
  const quiet = { ...before, quietMs: before.quietMs + sinceLastMs, queuedBytes }
  if (before.asked === undefined) {
    if (quiet.quietMs < ASK_AFTER_MS) return { liveness: quiet, verdict: 'quiet' }
    return { liveness: askedNow(quiet), verdict: 'ask' }
  }
  const asked = { ...before.asked, agoMs: before.asked.agoMs + sinceLastMs }
  return { liveness: { ...quiet, asked }, verdict: asked.agoMs < asked.withinMs ? 'quiet' : 'dead' }
}

/** The other end of a connection stopped answering: it was cut, or no stream opened on it in time. */
export class DeadPeerError extends Error {
  override readonly name = 'DeadPeerError'
  /** Only the way to it was lost, such as a relay or this machine's own address: it may be reached over another one. */
  readonly peerMayBeWell: boolean

  constructor(peerMayBeWell: boolean, options?: ErrorOptions & { message?: string }) {
    super(options?.message ?? 'the other end stopped answering', options)
    this.peerMayBeWell = peerMayBeWell
  }
}

/** The dead peer an error comes from; undefined for any other. */
export function deadPeerBehind(error: unknown): DeadPeerError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DeadPeerError) return cause
  }
  return undefined
}
