import { isUnanswered, type TrafficEntry } from '#shared/contract/node/traffic.js'
import { causeOf } from './cause.js'

/** Which requests are shown. */
export interface TrafficFilter {
  direction: 'all' | TrafficEntry['direction']
  outcome: 'all' | 'failed' | 'unanswered'
  /** A part of the model, route, peer, API key or cause. */
  text: string
}

export const SHOW_ALL: TrafficFilter = { direction: 'all', outcome: 'all', text: '' }

/** The requests that fit, newest first. */
export function filterTraffic(entries: readonly TrafficEntry[], filter: TrafficFilter): TrafficEntry[] {
  const wanted = filter.text.trim().toLowerCase()
  return entries
    .filter(
      (entry) =>
        (filter.direction === 'all' || (entry.direction === filter.direction && !isUnanswered(entry))) &&
        isOutcome(entry, filter.outcome) &&
        (wanted === '' || textOf(entry).includes(wanted)),
    )
    .reverse()
}

function isOutcome(entry: TrafficEntry, wanted: TrafficFilter['outcome']): boolean {
  if (wanted === 'unanswered') return isUnanswered(entry)
  return wanted === 'all' || hasFailed(entry)
}

/** A request that ended with an error; one that was cancelled has not failed. */
export function hasFailed(entry: Pick<TrafficEntry, 'error' | 'status' | 'cancelledBy' | 'durationMs'>): boolean {
  if (entry.cancelledBy !== null || entry.durationMs === null) return false
  return entry.error !== null || entry.status === null || entry.status >= 400
}

function textOf(entry: TrafficEntry): string {
  return [
    entry.model,
    entry.route,
    entry.peer,
    entry.key,
    entry.error,
    entry.error === null ? '' : causeOf(entry.error),
  ]
    .filter((part) => part !== null)
    .join(' ')
    .toLowerCase()
}
