import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { median, tokensPerSecond } from '../../stores/traffic-figures.js'

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

/** The requests to each model, sorted out once for a list of models. */
export function requestsByModel(entries: readonly TrafficEntry[]): ReadonlyMap<string, TrafficEntry[]> {
  const groups = new Map<string, TrafficEntry[]>()
  for (const entry of entries) {
    if (entry.model === null) continue
    const group = groups.get(entry.model)
    if (group === undefined) groups.set(entry.model, [entry])
    else group.push(entry)
  }
  return groups
}
