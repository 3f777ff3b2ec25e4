import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, dialog } from 'electron'
import type { UpdatesSource } from '../../api/index.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { startAgain, type OwnProgram } from '../lifecycle/program.js'
import type { PreferencesFile } from '../preferences.js'
import { createUpdater, handOver } from './updater.js'
import { createNoUpdates, createUpdateRounds, createUpdates, UPDATE_KEY_FILE, whyNoUpdates } from './updates.js'

/** Newer versions of this app, as far as it can get them. */
export interface AppUpdates {
  readonly source: UpdatesSource
  readonly isSupported: boolean
  /** Call it after the person may have switched daily checks on or off. */
  review(): void
  stop(): void
  /** To be called when the node has stopped: starts the new version if the person asked for that. */
  takeOver(): Promise<void>
}

/** What updates of this app stand on. */
export interface AppUpdatesNeeds {
  program: OwnProgram
  preferences: PreferencesFile
  clock: Clock
  log: Log
  /** Stops the node, after which `takeOver` is called. */
  quit: () => void
}

/** Updates of this app; the updater is loaded only once the person wants it. */
export function openAppUpdates(needs: AppUpdatesNeeds): AppUpdates {
  const { appImage } = needs.program
  const { isPackaged } = app
  const why = whyNoUpdates({ isPackaged, platform: process.platform, resourcesDir: process.resourcesPath, appImage })
  const updater = createUpdater({
    log: needs.log,
    publicKeys: why === undefined ? readFileSync(join(process.resourcesPath, UPDATE_KEY_FILE), 'utf8') : '',
  })
  let isInstalling = false
  function restart(): void {
    isInstalling = true
    needs.quit()
  }
  const source = why === undefined ? createUpdates({ ...needs, updater, restart }) : createNoUpdates(why)
  const rounds = createUpdateRounds({ updates: source, isWanted: () => needs.preferences.now.updates })
  return {
    source,
    isSupported: why === undefined,
    review: () => rounds.review(),
    stop: () => rounds.stop(),
    async takeOver() {
      if (!isInstalling) return
      // The new version starts before this process is gone: it must find neither a lock nor a window that asks.
      for (const window of BrowserWindow.getAllWindows()) window.destroy()
      app.releaseSingleInstanceLock()
      await handOver({ updater, log: needs.log })
      dialog.showErrorBox(
        'The newer version could not be installed',
        'Open Compute starts again as it was. Try it again later, or install the newer version by hand.',
      )
      startAgain({ app, program: needs.program }, process.argv.slice(1))
    },
  }
}
