import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import type { PauseCause } from '#shared/contract/sharing/pause.js'
import type { Control } from '../api/index.js'
import type { Log } from '../logging/index.js'
import type { LinkedPage } from './deep-link.js'
import type { NodeState } from './node-state.js'
import type { PreferencesFile } from './preferences.js'
import { pauseSentence } from './tray/tray-menu.js'

/** A system notification and the page a click on it opens. */
export interface Notice {
  title: string
  body: string
  page: LinkedPage
}

/** What notices need. */
export interface NoticesNeeds {
  state: NodeState
  control: Pick<Control, 'dispatch'>
  preferences: PreferencesFile
  show(notice: Notice): void
  log: Log
}

/**
 * Notifies the person of the first request served to a peer (once ever), of each cause that paused sharing (once per
 * start; a pause by hand is no news), and of a newer version that is ready to install. Returns a function that stops it.
 */
export function followForNotices(needs: NoticesNeeds): () => void {
  const { state, preferences } = needs
  const log = needs.log.forComponent('shell')
  const reportedCauses = new Set<PauseCause>()
  let reportedVersion: string | undefined
  let checking = false

  function notify(notice: Notice): void {
    if (preferences.now.notifications) needs.show(notice)
  }

  async function checkFirstServed(): Promise<void> {
    const recent = (await needs.control.dispatch('traffic.recent', {}, { capabilities: [] })) as TrafficEntry[]
    const served = recent.find(wasServed)
    if (served === undefined || preferences.now.firstServedTold) return
    preferences.change({ firstServedTold: true })
    const what = served.model === null ? 'Your computer' : `${served.model} on your computer`
    notify({ title: 'First request served', body: `${what} has just answered a peer. Thank you!`, page: 'traffic' })
  }

  function onChange(): void {
    const { pause, status, update } = state
    if (update?.kind === 'ready' && update.version !== reportedVersion) {
      reportedVersion = update.version
      notify({
        title: `Version ${update.version} is ready`,
        body: 'Restart Open Compute to install it.',
        page: 'settings',
      })
    }
    const reason = pause?.paused === true ? pause.reasons[0] : undefined
    if (pause !== undefined && reason !== undefined && reason.cause !== 'manual' && !reportedCauses.has(reason.cause)) {
      reportedCauses.add(reason.cause)
      notify({ title: 'Sharing is paused', body: capitalised(`${pauseSentence(pause)}.`), page: 'share' })
    }
    if (preferences.now.firstServedTold || checking || (status?.requestsToday.in ?? 0) === 0) return
    checking = true
    checkFirstServed()
      .catch((error: unknown) => log.error('a notification failed', { error }))
      .finally(() => (checking = false))
  }

  onChange()
  return state.subscribe(onChange)
}

/** Whether this machine answered a request from a peer. */
export function wasServed(entry: TrafficEntry): boolean {
  return entry.direction === 'in' && entry.durationMs !== null && entry.status === 200 && entry.error === null
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
