import type { TrafficEntry } from '#shared/contract/traffic.js'
import { tokensPerSecond } from '../traffic/speed.js'

/** What the last requests showed; null where none was measured. */
export interface Measured {
  ttftMs: number | null
  tokensPerSecond: number | null
}

const NOTHING: Measured = { ttftMs: null, tokensPerSecond: null }

/** The middle of what the requests to a model showed, with one provider or with all; `null` is this computer. */
export function measuredOf(entries: readonly TrafficEntry[], of: { model: string; peer?: string | null }): Measured {
  const own = entries.filter(
    (entry) =>
      entry.model === of.model &&
      entry.direction !== 'in' &&
      entry.status === 200 &&
      (of.peer === undefined || entry.peer === of.peer),
  )
  if (own.length === 0) return NOTHING
  return {
    ttftMs: median(own.map((entry) => entry.ttfbMs)),
    tokensPerSecond: median(own.map(tokensPerSecond)),
  }
}

function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  return known[Math.floor((known.length - 1) / 2)] ?? null
}
