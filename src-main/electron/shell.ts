import { join } from 'node:path'
import { app, BrowserWindow, Notification, powerMonitor } from 'electron'
import type { Capability } from '#shared/contract/node/node.js'
import type { Control } from '../api/index.js'
import type { MonotonicClock } from '../base/clock.js'
import type { Log } from '../logging/index.js'
import { readLaunch } from './argv.js'
import type { Autostart } from './autostart.js'
import { parseDeepLink, type LinkedPage } from './deep-link.js'
import { followNode } from './node-state.js'
import { followForNotices, type Notice } from './notices.js'
import { watchSleep, type Sleeper } from './power.js'
import type { PreferencesFile } from './preferences.js'
import { hasTrayHost, showTray, whenTrayHost } from './tray/tray.js'
import { closingFacts, guardClosing, whatClosingDoes } from './window/closing.js'
import { reloadAfterCrash } from './window/crash-recovery.js'
import { openWindow, showWindow, type WindowOptions } from './window/window.js'

/** What the desktop shell needs. */
export interface ShellNeeds {
  control: Control
  node: Sleeper
  preferences: PreferencesFile
  autostart: Autostart | undefined
  monotonic: MonotonicClock
  log: Log
  quit: () => void
}

/** Window, tray and notifications around a running node. */
export interface Shell {
  /** What its pages may offer now. */
  readonly capabilities: readonly Capability[]
  /** Opens the first window, or stays in the tray. */
  open(how: { background: boolean; page: LinkedPage | undefined }): Promise<void>
  notify(notice: Notice): void
  /** Stops following the node; windows stay until the process ends. */
  stop(): void
}

/** Options of the shell. */
export interface ShellOptions {
  /** The folder with `preload` and `tray` in it. */
  builtDir: string
  /** Whether this app can update itself. */
  canUpdate: boolean
}

/** The desktop shell; Electron has to be ready. */
export function createShell(needs: ShellNeeds, options: ShellOptions): Shell {
  const { control, preferences, log } = needs
  const state = followNode({ control, log })
  let removeTray: (() => void) | undefined
  const closing = { preferences, log, hasTray: () => removeTray !== undefined }
  const windows: WindowOptions = {
    preload: join(options.builtDir, 'preload', 'preload.cjs'),
    prepare(window) {
      guardClosing(window, closing)
      const gaveUp = (): void => {
        // An empty window is of no use; a click on the notification opens a new one.
        window.destroy()
        notify({
          title: 'The window keeps crashing',
          body: 'The node is still running. Open the window again.',
          page: 'home',
        })
      }
      reloadAfterCrash(window.webContents, { monotonic: needs.monotonic, log, gaveUp })
    },
  }
  const show = (page?: LinkedPage): void => showWindow(windows, page)

  function notify(notice: Notice): void {
    if (!Notification.isSupported()) return
    const notification = new Notification({ title: notice.title, body: notice.body })
    notification.on('click', () => show(notice.page))
    notification.show()
  }

  function addTray(): void {
    removeTray ??= showTray(
      { state, actions: { open: () => show(), quit: needs.quit } },
      { iconsDir: join(options.builtDir, 'tray') },
    )
  }

  app.on('second-instance', (_event, argv) => {
    show(readLaunch(argv, { isPackaged: app.isPackaged, appPath: app.getAppPath() }).page)
  })
  app.on('activate', () => show())
  app.on('open-url', (event, url) => {
    event.preventDefault()
    show(parseDeepLink(url))
  })
  app.on('window-all-closed', () => {
    if (whatClosingDoes(closingFacts(closing)) !== 'keep') needs.quit()
  })
  const stops = [
    whenTrayHost(addTray),
    followForNotices({ state, control, preferences, show: notify, log }),
    watchSleep({ power: powerMonitor, node: needs.node, log }),
  ]

  return {
    get capabilities() {
      const offered: Capability[] = ['open-external']
      if (Notification.isSupported()) offered.push('notifications')
      if (needs.autostart !== undefined) offered.push('autostart')
      if (closing.hasTray()) offered.push('close-to-tray')
      if (options.canUpdate) offered.push('self-update')
      return offered
    },
    async open({ background, page }) {
      if (!background) {
        show(page)
        return
      }
      if (await hasTrayHost()) return
      // The node must not run invisibly.
      if (BrowserWindow.getAllWindows().length === 0) openWindow(windows, page, 'minimized')
    },
    notify,
    stop() {
      for (const stop of stops) stop()
      state.stop()
      removeTray?.()
    },
  }
}
