import { dialog, type BrowserWindow } from 'electron'
import type { Log } from '../../logging/index.js'
import type { PreferencesFile } from '../preferences.js'

/** What closing the window depends on. */
export interface ClosingFacts {
  platform: NodeJS.Platform
  /** There is a tray to reopen the window from. */
  hasTray: boolean
  closeToTray: boolean
  /** The person has chosen what closing does. */
  closeToTrayTold: boolean
}

/**
 * What closing the last window does. `ask`: explain once that the node can keep running, and let the person choose.
 * Without a tray closing quits, because an invisible node can't be stopped. On macOS the Dock reopens the window.
 */
export function whatClosingDoes(facts: ClosingFacts): 'quit' | 'keep' | 'ask' {
  if (facts.platform === 'darwin') return 'keep'
  if (!facts.hasTray) return 'quit'
  if (!facts.closeToTrayTold) return 'ask'
  return facts.closeToTray ? 'keep' : 'quit'
}

const KEEP = 0

/** What the guard needs. */
export interface ClosingNeeds {
  preferences: PreferencesFile
  hasTray(): boolean
  log: Log
}

/** The facts at this moment. */
export function closingFacts(needs: ClosingNeeds): ClosingFacts {
  const { closeToTray, closeToTrayTold } = needs.preferences.now
  return { platform: process.platform, hasTray: needs.hasTray(), closeToTray, closeToTrayTold }
}

/** Asks, the first time closing a window would leave the node in the tray, whether to quit instead. */
export function guardClosing(window: BrowserWindow, needs: ClosingNeeds): void {
  let asking = false

  async function ask(): Promise<void> {
    const { response } = await dialog.showMessageBox(window, {
      type: 'question',
      message: 'Keep sharing after the window is closed?',
      detail:
        'Open Compute can stay in the tray: your apps and other peers keep their connection. The tray’s menu opens the ' +
        'window again, pauses sharing and quits. Settings has this choice too.',
      buttons: ['Stay in the tray', 'Quit'],
      defaultId: KEEP,
      cancelId: KEEP,
      noLink: true,
    })
    needs.preferences.change({ closeToTrayTold: true, closeToTray: response === KEEP })
    window.destroy()
  }

  window.on('close', (event) => {
    if (whatClosingDoes(closingFacts(needs)) !== 'ask') return
    event.preventDefault()
    if (asking) return
    asking = true
    ask()
      .catch((error: unknown) => needs.log.error('the choice of what closing does could not be saved', { error }))
      .finally(() => (asking = false))
  })
}
