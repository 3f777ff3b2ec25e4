import type { MenuItemConstructorOptions } from 'electron'
import type { Status } from '#shared/contract/node/node.js'
import type { PauseState } from '#shared/contract/sharing/pause.js'

/** The tray icons, each a file in the folder `tray` of the built program. */
export type TrayIcon = 'sharing' | 'connected' | 'alone' | 'paused'

/** What the tray shows: the status pill's state as an icon and a sentence. */
export interface TrayState {
  icon: TrayIcon
  sentence: string
}

const PATHS = { direct: 'direct', relayed: 'through a relay' } as const

/** What the tray shows for this status; undefined while the node starts. */
export function trayState(status: Status | undefined): TrayState {
  if (status === undefined) return { icon: 'alone', sentence: 'Starting' }
  const { kind, path } = status.state
  const peers = status.peers === 0 ? [] : [counted(status.peers, 'peer')]
  const tail = [...(path === null ? [] : [PATHS[path]]), ...peers]
  switch (kind) {
    case 'paused':
      return { icon: 'paused', sentence: `Paused: ${reasonSentence(status.state.pause)}` }
    case 'sharing':
      return { icon: 'sharing', sentence: [`Sharing ${counted(status.models.shared, 'model')}`, ...tail].join(' · ') }
    case 'connected':
      return { icon: 'connected', sentence: ['Connected', ...tail].join(' · ') }
    case 'alone':
      return {
        icon: 'alone',
        sentence:
          status.state.cause === undefined
            ? 'Not connected to any peer'
            : `Not connected: ${status.state.cause.sentence}`,
      }
    case 'standalone':
      return { icon: 'connected', sentence: 'This computer only' }
  }
}

/** The first reason of the pause, with the time it ends where that is known. */
export function pauseSentence(pause: PauseState): string {
  return reasonSentence(pause.reasons[0])
}

function reasonSentence(reason: Status['state']['pause']): string {
  if (reason === undefined) return 'sharing is off for now'
  if (reason.untilMs === null) return reason.sentence
  const time = new Date(reason.untilMs).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
  return `${reason.sentence} (until ${time})`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** What the entries of the tray's menu do. */
export interface TrayActions {
  open(): void
  quit(): void
  /** Pauses for `forMs` milliseconds; null pauses until resumed. */
  pause(forMs: number | null): void
  resume(): void
}

const MINUTE_MS = 60_000

/** The tray's menu. `pause` is undefined where this node can't pause; the menu then offers none. */
export function trayMenu(
  state: TrayState,
  pause: PauseState | undefined,
  actions: TrayActions,
): MenuItemConstructorOptions[] {
  return [
    { label: state.sentence, enabled: false },
    { type: 'separator' },
    ...pauseEntries(pause, actions),
    { label: 'Open', click: () => actions.open() },
    { label: 'Quit', click: () => actions.quit() },
  ]
}

function pauseEntries(pause: PauseState | undefined, actions: TrayActions): MenuItemConstructorOptions[] {
  if (pause === undefined) return []
  const byHand = pause.reasons.some(({ cause }) => cause === 'manual')
  if (byHand) return [{ label: 'Resume sharing', click: () => actions.resume() }, { type: 'separator' }]
  return [
    { label: 'Pause 15 minutes', click: () => actions.pause(15 * MINUTE_MS) },
    { label: 'Pause 1 hour', click: () => actions.pause(60 * MINUTE_MS) },
    { label: 'Pause until I resume', click: () => actions.pause(null) },
    { type: 'separator' },
  ]
}
