import { homedir } from 'node:os'
import { join } from 'node:path'
import { app, dialog, ipcMain, powerMonitor, safeStorage, utilityProcess } from 'electron'
import { monotonicClock, systemClock } from '../base/clock.js'
import { within } from '../base/within.js'
import { EXIT } from '../cli/io.js'
import type { Origins, Settings } from '../config/index.js'
import { restartArgv, type Launch } from '../electron/argv.js'
import { createAutostart, wasOpenedAtLogin, type Autostart } from '../electron/autostart.js'
import { LINK_SCHEME } from '../electron/deep-link.js'
import { utilityProcessStarter } from '../electron/engine-process.js'
import { serveIpc } from '../electron/ipc.js'
import { findProgram, startAgain, type OwnProgram } from '../electron/lifecycle/program.js'
import { Quitting } from '../electron/lifecycle/quitting.js'
import { Requests } from '../electron/lifecycle/requests.js'
import { commandFile, offerCommand } from '../electron/lifecycle/shell-command.js'
import { createShellFacts } from '../electron/power.js'
import { createAppPreferences, openPreferences } from '../electron/preferences.js'
import { createPlainSecretsNotice, createSafeVault } from '../electron/safe-vault.js'
import { Shell } from '../electron/shell.js'
import { openAppUpdates } from '../electron/updates/app-updates.js'
import { APP_URL, restrictPermissions, serveAppScheme } from '../electron/window/app-scheme.js'
import { nextRestart } from '../electron/window/crash-recovery.js'
import { setAppMenu } from '../electron/window/menus.js'
import { createLogger, type Log } from '../logging/index.js'
import { CRASH_GRACE_MS, handleCrashes } from './crashes.js'
import { startNode, STOP_GRACE_MS, untilAskedToStop, type NodeStart, type RunningNode } from './run-node.js'

/** The same as `appId` in electron-builder.yml; Windows groups notifications and the task bar by it. */
const APP_ID = 'org.opencompute.desktop'
/** Windows finds the program of a notification by it, also after the program has ended; a new one each run is forgotten. */
const TOAST_CLSID = '{7B1D0C52-6D0E-4B44-9C0C-2F3D1C5E8A17}'

/** The folder of the built program, with `main`, `preload`, `renderer` and `tray` in it; and how it was started. */
export interface DesktopOptions {
  builtDir: string
  launch: Launch
  /** What the command line warned of, for the log: there may be no terminal. */
  warnings: string
}

/**
 * `ocf app` under Electron: a node with its window and tray until the person quits. A second start of the same data
 * folder shows the first one's window. Rejects with the `AppError` of a node that can't start.
 */
export async function runDesktopApp(settings: Settings, origins: Origins, options: DesktopOptions): Promise<number> {
  const { builtDir, launch } = options
  const { platform } = process
  // Beside the data folder: Chromium's files inside it would make a new data folder look foreign.
  const userData = `${settings['data-dir']}-window`
  app.setPath('userData', userData)
  if (!app.requestSingleInstanceLock()) return EXIT.ok
  const quitting = new Quitting()
  void untilAskedToStop().then(quitting.ask)
  const requests = new Requests()
  await app.whenReady()
  restrictPermissions()
  if (platform === 'win32') {
    app.setAppUserModelId(APP_ID)
    app.setToastActivatorCLSID(TOAST_CLSID)
  }
  // Unpackaged, this would register Electron itself for the links.
  if (app.isPackaged) app.setAsDefaultProtocolClient(LINK_SCHEME)

  const logger = createLogger({
    level: settings['log-level'],
    format: settings['log-format'],
    destination: process.stderr,
  })
  const { log } = logger
  if (options.warnings !== '') log.warn('the command line was not clear', { warnings: options.warnings })
  quitting.followSession(log)
  const program = findProgram()
  setAppMenu(platform, openCommandInstaller(program, log))
  const preferences = openPreferences({ log }, { file: join(userData, 'app.json') })
  const autostart = openAutostart(program)
  if (preferences.now.autostart) autostart?.refresh()
  const plainSecrets = createPlainSecretsNotice({ preferences })
  const updates = openAppUpdates({ program, preferences, clock: systemClock, log, quit: quitting.ask })
  const desktop = {
    app: createAppPreferences({ preferences, autostart, updatesWanted: () => updates.review() }),
    updates: updates.source,
    startEngineProcess: utilityProcessStarter({ utilityProcess, entry: join(builtDir, 'main', 'engine.js') }),
    desktopSharing: {
      facts: createShellFacts(powerMonitor),
      vault: createSafeVault({ safeStorage }),
      onPlainSecrets: (why: string) => plainSecrets.report(why),
    },
  }
  const shell = new Shell(
    { preferences, autostart, monotonic: monotonicClock, log, quit: quitting.ask },
    { builtDir, canUpdate: updates.isSupported, platform },
  )
  let gatewayUrl = (): string | null => null
  await serveAppScheme({ rendererDir: join(builtDir, 'renderer'), gatewayUrl: () => gatewayUrl() })
  const background = launch.background || wasOpenedAtLogin(app, platform)
  if (!background) shell.show(launch.page)
  requests.serve(shell.show)

  const restart = (): void => {
    relaunch(program, 0)
    quitting.ask()
  }
  const start = { settings, origins, logger, builtDir, desktop, lifetime: { restart, stop: quitting.ask } }
  const running = await startUnlessQuit(start, quitting.signal, shell)
  if (running === undefined) return EXIT.ok
  const { node } = running
  gatewayUrl = () => node.gatewayUrl() ?? null
  restartAfterCrash({ running, log, launch, program })
  plainSecrets.showWith((notice) => shell.notifications.show(notice))
  const ipcOptions = {
    trustedUrl: APP_URL,
    get capabilities() {
      return shell.capabilities
    },
  }
  const stopIpc = serveIpc({ ipc: ipcMain, control: node.control, log }, ipcOptions)
  await shell.attach({ control: node.control, node }, { background })
  if (launch.restarts > 0) {
    shell.notifications.show({
      title: 'Open Compute was restarted',
      body: 'It had crashed; the log has the reason.',
      page: 'settings',
    })
  }

  updates.review()

  await quitting.asked
  const stopped = stopWithin(running, STOP_GRACE_MS)
  updates.stop()
  shell.stop()
  stopIpc()
  await stopped
  quitting.release()
  await updates.takeOver()
  logger.close()
  return EXIT.ok
}

/** Installs the command `ocf` with the person's consent; undefined where there is nothing to install. */
function openCommandInstaller(program: OwnProgram, log: Log): (() => void) | undefined {
  if (!app.isPackaged) return undefined
  const facts = { platform: process.platform, program, home: homedir(), env: process.env }
  const file = commandFile(facts)
  return file === undefined ? undefined : () => void offerCommand(file, { facts, log })
}

function openAutostart(program: OwnProgram): Autostart | undefined {
  return createAutostart(
    { loginItems: app },
    {
      platform: process.platform,
      command: app.isPackaged ? [program.path] : [program.path, app.getAppPath()],
      configHome: process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'),
    },
  )
}

/** Has another process take over when this one ends. */
function relaunch(program: OwnProgram, restarts: number): void {
  const packed = { isPackaged: app.isPackaged, appPath: app.getAppPath() }
  startAgain({ app, program }, restartArgv(process.argv, restarts, packed))
}

/** An uncaught error leaves the process in an unknown state: a new process takes over, unless that failed before. */
function restartAfterCrash(needs: { running: RunningNode; log: Log; launch: Launch; program: OwnProgram }): void {
  const { log, launch, running, program } = needs
  const startedAtMs = monotonicClock.elapsedMs()
  const onCrash = (error: Error): void => {
    const restarts = nextRestart({ monotonic: monotonicClock }, { restarts: launch.restarts, startedAtMs })
    void stopWithin(running, CRASH_GRACE_MS).finally(() => {
      if (restarts === undefined) {
        dialog.showErrorBox('Open Compute keeps failing', `It was restarted and failed again: ${error.message}`)
      } else {
        relaunch(program, restarts)
      }
      app.exit(EXIT.failed)
    })
  }
  handleCrashes({ log, onCrash }, { sentence: 'the app failed' })
}

/** Undefined when the person quit while the node was starting. */
async function startUnlessQuit(start: NodeStart, quit: AbortSignal, shell: Shell): Promise<RunningNode | undefined> {
  try {
    return await startNode(start, quit)
  } catch (error) {
    if (quit.aborted) return undefined
    shell.destroyWindow()
    throw error
  }
}

function stopWithin(running: RunningNode, graceMs: number): Promise<void> {
  return within(running.stop(), graceMs, () => undefined)
}
