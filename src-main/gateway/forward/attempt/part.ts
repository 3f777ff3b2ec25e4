import type { TrafficCandidate } from '#shared/contract/node/traffic.js'
import type { ContinuedPart } from '../../continue/continuation.js'
import type { Contest } from '../race.js'

/** An attempt's part in its exchange. */
export interface Part extends Partial<Omit<ContinuedPart, 'contest' | 'onCut'>> {
  /** Where others may be asked for the same request. */
  contest?: Contest & { patienceMs: number | undefined }
  onCut?: (() => boolean) | undefined
  /** The peers the exchange may go to. */
  considered?: readonly TrafficCandidate[]
  /** Attempts so far, this one among them. */
  attempts: () => number
  /** Peers that got to read the request so far. */
  readers: () => number
  /** Another provider is there. */
  hasAnother: () => boolean
}
