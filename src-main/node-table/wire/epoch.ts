/** An epoch is a UTC day: one document each, so that what churn leaves behind goes with the day. */
export const EPOCH_MS = 24 * 60 * 60 * 1000

/** How far ahead of our clock a row's time may be: clocks on the open network differ by seconds. */
export const MAX_CLOCK_SKEW_MS = 60_000

/** The epoch of a moment: whole UTC days since 1970-01-01. */
export function epochOf(unixMs: number): number {
  return Math.floor(unixMs / EPOCH_MS)
}

/** Unix milliseconds at which an epoch starts. */
export function epochStart(epoch: number): number {
  return epoch * EPOCH_MS
}

/** May a row of this epoch come in now? The current epoch, the one before, and the next within the clock skew. */
export function isEpochAcceptable(epoch: number, nowMs: number): boolean {
  return epoch >= epochOf(nowMs) - 1 && epoch <= epochOf(nowMs + MAX_CLOCK_SKEW_MS)
}

/** A logical timestamp: the place of a row in the order of its owner's rows. */
export interface LogicalTime {
  epoch: number
  /** Milliseconds since the start of the epoch. */
  seq: number
}

/** Negative when `a` is older than `b`, 0 when they are the same, positive when newer. */
export function compareLogicalTimes(a: LogicalTime, b: LogicalTime): number {
  return a.epoch === b.epoch ? a.seq - b.seq : a.epoch - b.epoch
}

/** Unix milliseconds that a logical time stands for. */
export function timeOf({ epoch, seq }: LogicalTime): number {
  return epochStart(epoch) + seq
}

/** Is this epoch before the previous one? Then nothing of it counts any more. */
export function isEpochOver(epoch: number, nowMs: number): boolean {
  return epoch < epochOf(nowMs) - 1
}
