import type { Usage } from '#shared/contract/sharing/limits.js'
import type { PauseState } from '#shared/contract/sharing/pause.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'

/** What there is to say about sharing, one at a time: the first that holds. */
export type SharingState =
  | { kind: 'nothing' }
  /** By hand or by a rule; `untilMs` is Unix milliseconds, null where the end is not known. */
  | { kind: 'paused'; sentence: string; untilMs: number | null; byHand: boolean; running: number }
  /** Nothing is shared at the moment, because none of the servers answers. */
  | { kind: 'down'; servers: readonly string[] }
  /** The servers are being started or were not asked yet. */
  | { kind: 'starting'; servers: readonly string[] }
  /** The owner's own limit refuses everyone. */
  | { kind: 'closed' }
  /** All slots and the queue are in use. */
  | { kind: 'full'; slots: number }
  /** `down`: servers that do not answer, while others do. */
  | { kind: 'open'; down: readonly string[] }

/** Whether peers may use something of a share. */
export function isForOthers({ models, visibility, choices }: ShareView): boolean {
  const isOpen = choices.some((choice) => choice.ticked && choice.visibility !== 'me')
  return isOpen || (models === 'all' && visibility !== 'me')
}

/** What holds now. `others`: services from the settings that peers may use. */
export function sharingState({
  shares,
  pause,
  usage,
  others,
}: {
  shares: readonly ShareView[]
  pause: PauseState | undefined
  usage: Usage | undefined
  others: readonly { name: string; status: ShareView['status'] }[]
}): SharingState {
  const offered = [...shares.filter(isForOthers), ...others]
  if (offered.length === 0) return { kind: 'nothing' }
  if (pause?.paused === true) {
    const [first] = pause.reasons
    const byHand = pause.reasons.some(({ cause }) => cause === 'manual')
    return {
      ...{ kind: 'paused', sentence: first?.sentence ?? '', untilMs: lastEnd(pause), byHand, running: pause.running },
    }
  }
  const answering = offered.filter(({ status }) => status === 'connected')
  const down = offered.filter(({ status }) => status === 'down').map(({ name }) => name)
  if (answering.length === 0) {
    return down.length > 0
      ? { kind: 'down', servers: down }
      : { kind: 'starting', servers: offered.map(({ name }) => name) }
  }
  if (usage !== undefined) {
    const { slots, queue } = usage
    if (slots.total === 0) return { kind: 'closed' }
    if (slots.used >= slots.total && queue.used >= queue.total) return { kind: 'full', slots: slots.total }
  }
  return { kind: 'open', down }
}

/** When all reasons have ended; null where one of them has no known end. */
function lastEnd({ reasons }: PauseState): number | null {
  const ends = reasons.map(({ untilMs }) => untilMs)
  return ends.length === 0 || ends.includes(null) ? null : Math.max(...ends.map((end) => end ?? 0))
}
