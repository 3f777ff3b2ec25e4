import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { ServerChoices } from '#shared/contract/sharing/visibility.js'
import type { SleepingClock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { DetectionResult } from './scan.js'
import type { Candidate } from './servers/index.js'

export { createDetector } from './detector.js'
export type { DetectionResult } from './scan.js'
export type { Candidate } from './servers/index.js'

/** An address to scan. */
export interface DetectionTarget {
  host: string
  port: number
  apiKey?: string
}

/** What a detector stands on. */
export interface DetectorNeeds {
  log: Log
  clock?: SleepingClock
  /** The kept key of a server, by its address. */
  keyFor: (address: string) => string | undefined
  /** Under which id an address is shared. */
  sharedAs: (address: string) => string | undefined
  /** What was chosen for its models when its sharing was stopped. */
  remembered: (address: string) => ServerChoices | undefined
  /** This node's own ports: what answers there is this node. */
  ownPorts: () => readonly number[]
  /** Sent with each question; a gateway in front of this node brings it back. */
  hopHeaders: Readonly<Record<string, string>>
}

/** What is scanned, and how often. */
export interface DetectorOptions {
  /** Default: the usual ports of the servers that are known. */
  candidates?: readonly Candidate[]
  /** Whether another machine may be typed in (default false). */
  allowRemoteTarget?: boolean
  /** Between two scans while there are followers (default 15 s) and otherwise (default 60 s). */
  watchedMs?: number
  idleMs?: number
  /** For one answer (default 2 s) and for a connection (default 500 ms). */
  answerMs?: number
  connectMs?: number
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
