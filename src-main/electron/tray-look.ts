import type { Status } from '#shared/contract/node.js'
import type { PauseState } from '#shared/contract/pause.js'

/** The pictures of the tray, each a file in the folder `tray` of the built program. */
export type TrayIcon = 'sharing' | 'connected' | 'alone' | 'paused'

/** The status pill's state for the tray. */
export interface TrayLook {
  icon: TrayIcon
  sentence: string
}

const PATHS = { direct: 'direct', relayed: 'through a relay' } as const

/** What the tray shows for what is known of the node; undefined where nothing is known yet. */
export function trayLook(status: Status | undefined): TrayLook {
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

/** The first reason, with the time at which it ends where that is known. */
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
