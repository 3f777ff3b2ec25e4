import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import type { LocalService } from '../../services/index.js'
import { outcomeOf } from '../rollup.js'

/** One structured event. Peer ids and model names may stand in it; what requests and answers say never does. */
export interface TelemetryEvent {
  /** ISO 8601; Axiom's own name for it. */
  _time: string
  event: EventName
  [field: string]: unknown
}

/** Everything that is ever sent. docs/operating.md says what each carries. */
type EventName =
  | 'Service Forward'
  | 'P2P Forward'
  | 'DNT Lookup'
  | 'Peer Connected'
  | 'Peer Disconnected'
  | 'Service Changed'

/** The events a request that ended amounts to: its lookup in the node table, and where it was forwarded to. */
export function eventsOfRequest(entry: Readonly<TrafficEntry>): TelemetryEvent[] {
  const events: TelemetryEvent[] = []
  const { id, service, model, candidates } = entry
  if (candidates !== null) {
    events.push({ ...at(entry.atMs), event: 'DNT Lookup', request_id: id, service, model, candidates })
  }
  if (entry.legs.length > 0) events.push(forwardOf(entry))
  return events
}

function forwardOf(entry: Readonly<TrafficEntry>): TelemetryEvent {
  const out = entry.direction === 'out'
  return {
    ...at(entry.atMs + (entry.durationMs ?? 0)),
    event: out ? 'P2P Forward' : 'Service Forward',
    request_id: entry.id,
    direction: entry.direction,
    service: entry.service,
    method: entry.method,
    route: entry.route,
    model: entry.model,
    peer: entry.peer,
    path: entry.path,
    tries: entry.tries,
    legs: entry.legs.map(({ peer, outcome, reason }) => ({ peer, outcome, reason })),
    status: entry.status,
    outcome: outcomeOf(entry),
    error: entry.error,
    cancelled_by: entry.cancelledBy,
    ttfb_ms: entry.ttfbMs,
    duration_ms: entry.durationMs,
    bytes_in: entry.bytesIn,
    bytes_out: entry.bytesOut,
    tokens_in: entry.tokensIn,
    tokens_out: entry.tokens,
    tokens_from: entry.tokensFrom,
  }
}

/** A peer came or went. */
export function peerEvent(
  event: 'Peer Connected' | 'Peer Disconnected',
  facts: { peer: string; path: string | null; peers: number },
  nowMs: number,
): TelemetryEvent {
  return { ...at(nowMs), event, ...facts }
}

/** A service of this machine as one event tells it: neither its address nor why it is down. */
export interface ServiceFacts {
  name: string
  status: LocalService['status'] | 'removed'
  published: boolean
  models: number
}

export function serviceFacts(service: LocalService): ServiceFacts {
  const { name, status, published, models } = service
  return { name, status, published, models: models.length }
}

export function serviceEvent(facts: ServiceFacts, before: ServiceFacts | undefined, nowMs: number): TelemetryEvent {
  const { name, ...rest } = facts
  return { ...at(nowMs), event: 'Service Changed', service: name, ...rest, status_before: before?.status ?? null }
}

const at = (ms: number): { _time: string } => ({ _time: new Date(ms).toISOString() })
