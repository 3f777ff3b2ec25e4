import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { Menu, nativeImage, Tray, type NativeImage } from 'electron'
import type { NodeState } from '../node-state.js'
import { trayMenu, trayState, type TrayActions, type TrayIcon } from './tray-menu.js'

/** Shows an icon in the desktop's tray that follows the node. Returns a function that removes it. */
export function showTray(
  needs: { state: NodeState; actions: Pick<TrayActions, 'open' | 'quit'> },
  options: { iconsDir: string; platform?: NodeJS.Platform },
): () => void {
  const { state } = needs
  const platform = options.platform ?? process.platform
  const images = new Map<TrayIcon, NativeImage>()
  const actions: TrayActions = {
    ...needs.actions,
    pause: (forMs) => state.pauseFor(forMs),
    resume: () => state.resume(),
  }

  function imageOf(icon: TrayIcon): NativeImage {
    const known = images.get(icon)
    if (known !== undefined) return known
    // macOS tints black template images to suit the menu bar; each has an `@2x` file for dense screens.
    const name = platform === 'darwin' ? `${icon}Template.png` : `${icon}.png`
    const image = nativeImage.createFromPath(join(options.iconsDir, name))
    if (platform === 'darwin') image.setTemplateImage(true)
    images.set(icon, image)
    return image
  }

  let shown = ''
  const tray = new Tray(imageOf(trayState(state.status).icon))
  tray.on('click', () => needs.actions.open())

  function update(): void {
    const now = trayState(state.status)
    const menu = trayMenu(now, state.pause, actions)
    const drawing = JSON.stringify([now, menu])
    if (drawing === shown) return
    shown = drawing
    tray.setImage(imageOf(now.icon))
    tray.setToolTip(`Open Compute: ${now.sentence}`)
    tray.setContextMenu(Menu.buildFromTemplate(menu))
  }

  update()
  const unsubscribe = state.subscribe(update)
  return () => {
    unsubscribe()
    tray.destroy()
  }
}

/** How long the session bus may take to answer. */
const ASK_MS = 2_000

/**
 * Whether the desktop shows tray icons. Windows and macOS do; on Linux Electron does not report an icon that is shown
 * nowhere, so this asks the session bus for a tray host. No answer counts as none.
 */
export function hasTrayHost(platform: NodeJS.Platform = process.platform): Promise<boolean> {
  if (platform !== 'linux') return Promise.resolve(true)
  const args = [
    '--session',
    '--print-reply',
    '--dest=org.freedesktop.DBus',
    '/org/freedesktop/DBus',
    'org.freedesktop.DBus.NameHasOwner',
    'string:org.kde.StatusNotifierWatcher',
  ]
  return new Promise((resolve) => {
    execFile('dbus-send', args, { timeout: ASK_MS }, (error, stdout) => {
      resolve(error === null && /\bboolean true\b/.test(stdout))
    })
  })
}

/** A desktop that starts this app at login may start its tray later: ask again after these times. */
const RETRIES_MS = [5_000, 15_000, 40_000, 60_000]

/** Calls `found` once when the desktop shows tray icons, now or a little later. Returns a function that stops the search. */
export function whenTrayHost(found: () => void, ask: () => Promise<boolean> = hasTrayHost): () => void {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  async function attempt(number: number): Promise<void> {
    const has = await ask()
    if (stopped) return
    if (has) {
      found()
      return
    }
    const waitMs = RETRIES_MS[number]
    if (waitMs !== undefined) timer = setTimeout(() => void attempt(number + 1), waitMs)
  }
  void attempt(0)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
