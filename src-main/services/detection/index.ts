import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { Service } from '../../base/lifecycle.js'
import type { DetectionResult } from './scan.js'

export { createDetector } from './detector.js'
export type { DetectionResult } from './scan.js'
export type { Candidate } from './servers/index.js'

/** An address to scan. */
export interface DetectionTarget {
  host: string
  port: number
  apiKey?: string
}

/** Which model servers run on this machine. It only asks: nothing is registered, loaded or woken. */
export interface Detector extends Service {
  /** What the last scan showed, typed-in addresses included. An entry that did not change is the same object. */
  servers(): readonly DetectedServer[]
  /** Scans now; a scan that is under way is shared. */
  scan(): Promise<readonly DetectedServer[]>
  /** Whether any model server answers on this machine, within a second. It may be asked before the start. */
  hasAnyServer(signal: AbortSignal): Promise<boolean>
  /**
   * Scans one address and keeps it in the list.
   * @throws AppError `invalid_service` for another machine, unless the owner allowed those, and for too many addresses
   */
  typeIn(target: DetectionTarget): Promise<DetectedServer>
  /** Takes a typed-in address out of the list; false when it was not typed in. */
  forget(address: string): boolean
  /**
   * Scans one address without keeping it: what it is and how to register it.
   * @throws AppError `invalid_service` when it is another machine, or nothing that can be shared, with the reason
   */
  inspect(target: DetectionTarget): Promise<DetectionResult>
  /** The key that was typed in for an address, where there is one. */
  typedKey(address: string): string | undefined
  /** Calls `listener` after each change; returns the way to stop. While there are listeners, scans are more frequent. */
  follow(listener: () => void): () => void
  /** Takes in that an address is shared now, or no longer. */
  refreshShared(): void
}
