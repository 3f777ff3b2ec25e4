/** How long a connection in use may be quiet (ms) before it is asked for a sign of life. */
export const ASK_AFTER_MS = 3_000

/** How long an answer may take (ms): a slow line with a full queue, or a peer whose machine swaps, needs seconds. */
export const ANSWER_WITHIN_MS = 5_000

/** A look that comes so late (ms after the last one) says more about this machine than about its peers. */
export const LATE_MS = 2_500

/** Bytes a millisecond that even a poor line carries. */
const SLOWEST_LINE = 8
/** A sender is not ahead of the other end by more: yamux' first window, which grows only where the line is quick. */
export const MAX_QUEUED_BYTES = 256 * 1024

/** How quiet a connection in use has been. */
export interface Silence {
  quietMs: number
  /** How long ago it was asked for a sign of life, and how long the answer may take (ms). */
  asked: { agoMs: number; withinMs: number } | undefined
  /** Bytes of ours that may still wait for a poor line, in buffers of the kernel and routers that nobody can look into. */
  queuedBytes: number
}

/** What is seen of a connection since the last look at it. */
export interface Look {
  sinceLastMs: number
  /** True when a byte of any kind came in. */
  isHeard: boolean
  /** Bytes of ours the network took, out of those that waited for it at the last look. */
  takenBytes: number
  /** Bytes of ours that were written since. */
  writtenBytes: number
}

/** What follows from a look. */
export type Verdict = 'alive' | 'quiet' | 'ask' | 'dead'

/** A connection nobody has waited for yet. */
export const noSilence = (queuedBytes = 0): Silence => ({ quietMs: 0, asked: undefined, queuedBytes })

/** A connection that is asked this moment, after a silence. The question waits behind what was not sent yet. */
export const askedNow = (before: Silence): Silence => ({
  ...before,
  asked: { agoMs: 0, withinMs: ANSWER_WITHIN_MS + before.queuedBytes / SLOWEST_LINE },
})

function queuedAfter({ queuedBytes }: Silence, { sinceLastMs, writtenBytes }: Look): number {
  const left = queuedBytes + writtenBytes - Math.max(0, sinceLastMs) * SLOWEST_LINE
  return Math.min(Math.max(0, left), MAX_QUEUED_BYTES)
}

/**
 * Whether the other end of a connection is still there. Bytes that come in are life, and so are bytes the network takes
 * out of a full send buffer. A look that comes late starts anew: this machine slept or was busy, and what came in
 * meanwhile may not have been read yet.
 */
export function judge(before: Silence, look: Look): { silence: Silence; verdict: Verdict } {
  const { sinceLastMs, isHeard, takenBytes } = look
  const queuedBytes = queuedAfter(before, look)
  const isLate = sinceLastMs < 0 || sinceLastMs > LATE_MS
  if (isHeard || isLate || takenBytes > 0) {
    return { silence: noSilence(queuedBytes), verdict: 'alive' }
  }
  const quiet = { ...before, quietMs: before.quietMs + sinceLastMs, queuedBytes }
  if (before.asked === undefined) {
    if (quiet.quietMs < ASK_AFTER_MS) return { silence: quiet, verdict: 'quiet' }
    return { silence: askedNow(quiet), verdict: 'ask' }
  }
  const asked = { ...before.asked, agoMs: before.asked.agoMs + sinceLastMs }
  return { silence: { ...quiet, asked }, verdict: asked.agoMs < asked.withinMs ? 'quiet' : 'dead' }
}
