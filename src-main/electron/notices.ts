import type { PauseCause } from '#shared/contract/pause.js'
import type { TrafficEntry } from '#shared/contract/traffic.js'
import type { Control } from '../api/index.js'
import type { Log } from '../logging/index.js'
import type { LinkedPage } from './deep-link.js'
import type { NodeState } from './node-state.js'
import { pauseSentence } from './tray/tray-look.js'
import type { PreferencesFile } from './preferences.js'

/** A short message of the system and the page its click leads to. */
export interface Notice {
  title: string
  body: string
  page: LinkedPage
}

/** What notices stand on. */
export interface NoticesNeeds {
  state: NodeState
  control: Pick<Control, 'dispatch'>
  preferences: PreferencesFile
  show(notice: Notice): void
  log: Log
}

/**
 * Tells the person what they would want to know without looking: the first request of a peer that was served (once
 * ever), each cause that paused sharing (once each per start; a pause by hand is no news), and a newer version that can
 * be installed. Returns the way to stop.
 */
export function followForNotices(needs: NoticesNeeds): () => void {
  const { state, preferences } = needs
  const log = needs.log.forComponent('shell')
  const toldCauses = new Set<PauseCause>()
  let toldVersion: string | undefined
  let looking = false

  function tell(notice: Notice): void {
    if (preferences.now.notifications) needs.show(notice)
  }

  async function lookForFirstServed(): Promise<void> {
    const recent = (await needs.control.dispatch('traffic.recent', {}, { capabilities: [] })) as TrafficEntry[]
    const served = recent.find(wasServed)
    if (served === undefined || preferences.now.firstServedTold) return
    preferences.change({ firstServedTold: true })
    const what = served.model === null ? 'Your computer' : `${served.model} on your computer`
    tell({ title: 'First request served', body: `${what} has just answered somebody. Thank you!`, page: 'traffic' })
  }

  function onChange(): void {
    const { pause, status, update } = state
    if (update?.kind === 'ready' && update.version !== toldVersion) {
      toldVersion = update.version
      tell({
        title: `Version ${update.version} is ready`,
        body: 'Restart Open Compute to install it.',
        page: 'settings',
      })
    }
    const reason = pause?.paused === true ? pause.reasons[0] : undefined
    if (pause !== undefined && reason !== undefined && reason.cause !== 'manual' && !toldCauses.has(reason.cause)) {
      toldCauses.add(reason.cause)
      tell({ title: 'Sharing is paused', body: capitalised(`${pauseSentence(pause)}.`), page: 'share' })
    }
    if (preferences.now.firstServedTold || looking || (status?.requestsToday.in ?? 0) === 0) return
    looking = true
    lookForFirstServed()
      .catch((error: unknown) => log.error('a notice could not be made', { error }))
      .finally(() => (looking = false))
  }

  onChange()
  return state.subscribe(onChange)
}

/** Whether a request of a peer was answered by this machine. */
export function wasServed(entry: TrafficEntry): boolean {
  return entry.direction === 'in' && entry.durationMs !== null && entry.status === 200 && entry.error === null
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
