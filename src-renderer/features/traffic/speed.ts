import type { TrafficEntry } from '#shared/contract/traffic.js'

/** Tokens per second from the first byte to the end; null where that can't be told. */
export function tokensPerSecond(entry: Pick<TrafficEntry, 'tokens' | 'ttfbMs' | 'durationMs'>): number | null {
  const { tokens, ttfbMs, durationMs } = entry
  if (tokens === null || ttfbMs === null || durationMs === null || durationMs <= ttfbMs) return null
  return (tokens * 1000) / (durationMs - ttfbMs)
}
