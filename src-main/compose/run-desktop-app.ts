import { homedir } from 'node:os'
import { join } from 'node:path'
import { app, dialog, ipcMain, powerMonitor, safeStorage } from 'electron'
import { monotonicClock, systemClock } from '../base/clock.js'
import { within } from '../base/within.js'
import { EXIT } from '../cli/io.js'
import type { Origins, Settings } from '../config/index.js'
import { restartArgv, type Launch } from '../electron/argv.js'
import { createAutostart, type Autostart } from '../electron/autostart.js'
import { LINK_SCHEME, parseDeepLink, type LinkedPage } from '../electron/deep-link.js'
import { serveIpc } from '../electron/ipc.js'
import { createShellFacts } from '../electron/power.js'
import { createAppPreferences, openPreferences } from '../electron/preferences.js'
import { createPlainSecretsNotice, createSafeVault } from '../electron/safe-vault.js'
import { createShell } from '../electron/shell.js'
import { openAppUpdates } from '../electron/updates/app-updates.js'
import { APP_URL, restrictPermissions, serveAppScheme } from '../electron/window/app-scheme.js'
import { nextRestart } from '../electron/window/crash-recovery.js'
import { setAppMenu } from '../electron/window/window.js'
import { createLogger, type Log } from '../logging/index.js'
import { CRASH_GRACE_MS, handleCrashes } from './crashes.js'
import { startNode, STOP_GRACE_MS, untilAskedToStop, type NodeStart, type RunningNode } from './run-node.js'

/** The same as `appId` in electron-builder.yml; Windows groups notifications and the task bar by it. */
const APP_ID = 'org.opencompute.desktop'

/** The folder of the built program, with `main`, `preload`, `renderer` and `tray` in it; and how it was started. */
export interface DesktopOptions {
  builtDir: string
  launch: Launch
}

/**
 * `ocf app` under Electron: a node with its window and tray until the person quits. A second start of the same data
 * folder shows the first one's window. Rejects with the `AppError` of a node that can't start.
 */
export async function runDesktopApp(settings: Settings, origins: Origins, options: DesktopOptions): Promise<number> {
  const { builtDir, launch } = options
  // Beside the data folder: Chromium's files inside it would make a new data folder look foreign.
  const userData = `${settings['data-dir']}-window`
  app.setPath('userData', userData)
  if (!app.requestSingleInstanceLock()) return EXIT.ok
  const quit = untilQuit()
  const linkedPage = firstLink()
  await app.whenReady()
  restrictPermissions()
  setAppMenu()
  if (process.platform === 'win32') app.setAppUserModelId(APP_ID)
  // Unpackaged, this would register Electron itself for the links.
  if (app.isPackaged) app.setAsDefaultProtocolClient(LINK_SCHEME)

  const logger = createLogger({
    level: settings['log-level'],
    format: settings['log-format'],
    destination: process.stderr,
  })
  const { log } = logger
  const preferences = openPreferences({ log }, { file: join(userData, 'app.json') })
  const autostart = openAutostart()
  if (preferences.now.autostart) autostart?.refresh()
  const plainSecrets = createPlainSecretsNotice({ preferences })
  const updates = openAppUpdates({ preferences, clock: systemClock, log, quit: quit.ask })
  const desktop = {
    app: createAppPreferences({ preferences, autostart, updatesWanted: () => updates.review() }),
    updates: updates.source,
    desktopSharing: {
      facts: createShellFacts(powerMonitor),
      vault: createSafeVault({ safeStorage }),
      onPlainSecrets: (why: string) => plainSecrets.report(why),
    },
  }
  const running = await startUnlessQuit({ settings, origins, logger, builtDir, desktop }, quit.signal)
  if (running === undefined) return EXIT.ok
  const { node } = running
  restartAfterCrash({ running, log, launch })

  const shell = createShell(
    { control: node.control, node, preferences, autostart, monotonic: monotonicClock, log, quit: quit.ask },
    { builtDir, canUpdate: updates.isSupported },
  )
  plainSecrets.showWith((notice) => shell.notify(notice))
  const ipcOptions = {
    trustedUrl: APP_URL,
    get capabilities() {
      return shell.capabilities
    },
  }
  const stopIpc = serveIpc({ ipc: ipcMain, control: node.control, log }, ipcOptions)
  await serveAppScheme({
    rendererDir: join(builtDir, 'renderer'),
    gatewayUrl: () => node.gatewayUrl() ?? null,
  })
  await shell.open({ background: launch.background, page: launch.page ?? linkedPage() })
  if (launch.restarts > 0) {
    shell.notify({
      title: 'Open Compute was restarted',
      body: 'It had crashed; the log has the reason.',
      page: 'settings',
    })
  }

  updates.review()

  await quit.asked
  updates.stop()
  shell.stop()
  stopIpc()
  await stopWithin(running, STOP_GRACE_MS)
  quit.release()
  await updates.takeOver()
  logger.close()
  return EXIT.ok
}

/** Holds every way to quit until the node has stopped; the process ends by `app.exit` afterwards. */
function untilQuit(): { asked: Promise<void>; signal: AbortSignal; ask: () => void; release: () => void } {
  const asked = new AbortController()
  const ask = (): void => asked.abort(new Error('The app was quit.'))
  const hold = (event: Electron.Event): void => {
    event.preventDefault()
    ask()
  }
  app.on('before-quit', hold)
  void untilAskedToStop().then(ask)
  const { signal } = asked
  const promise = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  return { signal, ask, asked: promise, release: () => void app.off('before-quit', hold) }
}

/** On macOS a link that starts the app comes as an event, before there is a window. */
function firstLink(): () => LinkedPage | undefined {
  let page: LinkedPage | undefined
  app.once('open-url', (event, url) => {
    event.preventDefault()
    page = parseDeepLink(url)
  })
  return () => page
}

function openAutostart(): Autostart | undefined {
  const program = process.env['APPIMAGE'] ?? process.execPath
  return createAutostart(
    { loginItems: app },
    {
      platform: process.platform,
      command: app.isPackaged ? [program] : [program, app.getAppPath()],
      configHome: process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'),
    },
  )
}

/** An uncaught error leaves the process in an unknown state: a new process takes over, unless that failed before. */
function restartAfterCrash(needs: { running: RunningNode; log: Log; launch: Launch }): void {
  const { log, launch, running } = needs
  const startedAtMs = monotonicClock.elapsedMs()
  const onCrash = (error: Error): void => {
    const restarts = nextRestart({ monotonic: monotonicClock }, { restarts: launch.restarts, startedAtMs })
    void stopWithin(running, CRASH_GRACE_MS).finally(() => {
      if (restarts === undefined) {
        dialog.showErrorBox('Open Compute keeps failing', `It was restarted and failed again: ${error.message}`)
      } else {
        const execPath = process.env['APPIMAGE'] ?? process.execPath
        const packed = { isPackaged: app.isPackaged, appPath: app.getAppPath() }
        app.relaunch({ execPath, args: restartArgv(process.argv, restarts, packed) })
      }
      app.exit(EXIT.failed)
    })
  }
  handleCrashes({ log, onCrash }, { sentence: 'the app failed' })
}

/** Undefined when the person quit while the node was starting. */
async function startUnlessQuit(start: NodeStart, quit: AbortSignal): Promise<RunningNode | undefined> {
  try {
    return await startNode(start, quit)
  } catch (error) {
    if (quit.aborted) return undefined
    throw error
  }
}

function stopWithin(running: RunningNode, graceMs: number): Promise<void> {
  return within(running.stop(), graceMs, () => undefined)
}
