import type { MenuItemConstructorOptions } from 'electron'
import type { PauseState } from '#shared/contract/pause.js'
import type { TrayLook } from './tray-look.js'

/** What the entries of the tray's menu do. */
export interface TrayActions {
  open(): void
  quit(): void
  /** Pauses for so many milliseconds; null is until resumed. */
  pause(forMs: number | null): void
  resume(): void
}

const MINUTE_MS = 60_000

/** The tray's menu. `pause` is undefined where this node can't pause: then no entry offers it. */
export function trayMenu(
  look: TrayLook,
  pause: PauseState | undefined,
  actions: TrayActions,
): MenuItemConstructorOptions[] {
  return [
    { label: look.sentence, enabled: false },
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
