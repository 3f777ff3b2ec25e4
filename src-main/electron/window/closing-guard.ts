import { dialog, type BrowserWindow } from 'electron'
import type { Log } from '../../logging/index.js'
import { whatClosingDoes, type ClosingFacts } from './closing.js'
import type { PreferencesFile } from '../preferences.js'

const KEEP = 0

/** What closing a window depends on. */
export interface ClosingNeeds {
  preferences: PreferencesFile
  hasTray(): boolean
  log: Log
}

/** What counts at this moment. */
export function closingFacts(needs: ClosingNeeds): ClosingFacts {
  const { closeToTray, closeToTrayTold } = needs.preferences.now
  return { platform: process.platform, hasTray: needs.hasTray(), closeToTray, closeToTrayTold }
}

/** The first time a window is closed that leaves the node in the tray, the person is told and may quit instead. */
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
      .catch((error: unknown) => needs.log.error('the choice of what closing does could not be kept', { error }))
      .finally(() => (asking = false))
  })
}
