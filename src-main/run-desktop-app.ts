import { app, ipcMain } from 'electron'
import { join } from 'node:path'
import { EXIT } from './cli/exit-codes.js'
import type { Origins } from './config/origin.js'
import type { Settings } from './config/settings.js'
import { APP_URL, serveAppScheme } from './electron/app-scheme.js'
import { serveIpc } from './electron/ipc.js'
import { restrictPermissions } from './electron/permissions.js'
import { showWindow } from './electron/window.js'
import { createLogger } from './logging/logger.js'
import { startNode, STOP_GRACE_MS, untilAskedToStop, type NodeStart, type RunningNode } from './run-node.js'

/** The folder of the built program, with `main`, `preload` and `renderer` in it. */
export interface DesktopOptions {
  builtDir: string
}

/**
 * `ocf app` under Electron: a node and its window until the person quits. A second start of the same data folder shows
 * the first one's window. Rejects with the `AppError` of a node that can't start.
 */
export async function runDesktopApp(settings: Settings, origins: Origins, options: DesktopOptions): Promise<number> {
  // Beside the data folder and not in it: Chromium's files must not make a new data folder look foreign.
  app.setPath('userData', `${settings['data-dir']}-window`)
  if (!app.requestSingleInstanceLock()) return EXIT.ok
  const quit = untilQuit()
  await app.whenReady()
  restrictPermissions()

  const logger = createLogger({
    level: settings['log-level'],
    format: settings['log-format'],
    destination: process.stderr,
  })
  const running = await startUnlessQuit({ settings, origins, logger, ...options }, quit.signal)
  if (running === undefined) return EXIT.ok
  const { node } = running
  const stopIpc = serveIpc(
    { ipc: ipcMain, control: node.control, log: logger.log },
    { trustedUrl: APP_URL, capabilities: ['open-external'] },
  )
  await serveAppScheme({
    rendererDir: join(options.builtDir, 'renderer'),
    gatewayUrl: () => node.gatewayUrl() ?? null,
  })
  const show = (): void => showWindow({ preload: join(options.builtDir, 'preload', 'preload.cjs') })
  app.on('second-instance', show)
  app.on('activate', show)
  show()

  await quit.asked
  stopIpc()
  await stopWithin(running, STOP_GRACE_MS)
  logger.close()
  return EXIT.ok
}

/** Holds every way to quit until the node has stopped; the process ends by `app.exit` afterwards. */
function untilQuit(): { asked: Promise<void>; signal: AbortSignal } {
  const asked = new AbortController()
  const ask = (): void => asked.abort(new Error('The app was quit.'))
  app.on('before-quit', (event) => {
    event.preventDefault()
    ask()
  })
  // Without a tray there is nothing left to see: closing the window is quitting.
  app.on('window-all-closed', ask)
  void untilAskedToStop().then(ask)
  const { signal } = asked
  return { signal, asked: new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })) }
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

async function stopWithin(running: RunningNode, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([running.stop(), grace])
  clearTimeout(timer)
}
