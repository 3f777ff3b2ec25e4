import type { PauseState } from '#shared/contract/sharing/pause.js'
import type { Service } from '../../../base/lifecycle.js'

export { createPause } from './pause.js'
export { readRules, type PauseRules } from './rules.js'

/** "My GPU first": whether others may use this machine now, and why not. */
export interface Pause extends Service {
  state(): PauseState
  readonly isPaused: boolean
  /** Pauses by hand; `forMs` null is until resumed. `cutAfterMs` null lets running answers end. */
  pause(request: { forMs: number | null; cutAfterMs?: number }): Promise<PauseState>
  /** Ends a pause made by hand; rules that hold still pause. */
  resume(): Promise<PauseState>
  /** Checks the rules now: the settings changed. */
  review(): Promise<PauseState>
  /** Calls `listener` when it begins, ends or changes its reasons; returns the way to stop. */
  subscribe(listener: () => void): () => void
}
