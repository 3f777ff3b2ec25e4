import type { TrafficEntry } from '#shared/contract/traffic.js'

/** An answer whose body took less than this share of the whole time came in one piece. */
const ONE_PIECE = 0.1

/**
 * Tokens per second: from the first byte to the end, or over the whole time where the answer came in one piece. Null
 * where that can't be told.
 */
export function tokensPerSecond(entry: Pick<TrafficEntry, 'tokens' | 'ttfbMs' | 'durationMs'>): number | null {
  const { tokens, ttfbMs, durationMs } = entry
  if (tokens === null || ttfbMs === null || durationMs === null || durationMs <= 0) return null
  const streamedMs = durationMs - ttfbMs
  return (tokens * 1000) / (streamedMs < durationMs * ONE_PIECE ? durationMs : streamedMs)
}
