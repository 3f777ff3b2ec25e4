import type { DetectedServer } from '#shared/contract/detection.js'
import type { Service } from '../../base/lifecycle.js'
import type { Sighting } from './look.js'

export { createDetector } from './detector.js'
export type { Sighting } from './look.js'
export { USUAL_CANDIDATES, type Candidate } from './candidates.js'

/** An address to look at. */
export interface DetectionTarget {
  host: string
  port: number
  apiKey?: string
}

/** Which model servers run on this machine. It only looks: nothing is registered, loaded or woken. */
export interface Detector extends Service {
  /** What the last look showed, typed-in addresses included. An entry that did not change is the same object. */
  servers(): readonly DetectedServer[]
  /** Looks now; a look that is under way is shared. */
  look(): Promise<readonly DetectedServer[]>
  /**
   * Looks at one address and keeps it in the list.
   * @throws AppError `invalid_service` for another machine, unless the owner allowed those, and for too many addresses
   */
  typeIn(target: DetectionTarget): Promise<DetectedServer>
  /** Takes a typed-in address out of the list; false when it was not typed in. */
  forget(address: string): boolean
  /**
   * One look at an address without keeping it: what it is and how to register it.
   * @throws AppError `invalid_service` when it is another machine, or nothing that can be shared, with the reason
   */
  inspect(target: DetectionTarget): Promise<Sighting>
  /** The key that was typed in for an address, where there is one. */
  typedKey(address: string): string | undefined
  /** Calls `listener` after each change; returns the way to stop. While somebody listens, looks are more frequent. */
  follow(listener: () => void): () => void
  /** Takes in that an address is shared now, or no longer. */
  refreshShared(): void
}
