import { join } from 'node:path'
import { Menu, nativeImage, Tray, type NativeImage } from 'electron'
import type { NodeState } from '../node-state.js'
import { trayMenu, trayState, type TrayActions, type TrayIcon } from './tray-menu.js'

/**
 * The ends of the pictures' names; each has an `@2x` file for dense screens. macOS tints black template images to suit the
 * menu bar; the tray of Windows has 16 points, those of Linux 22.
 */
const KIND: Partial<Record<NodeJS.Platform, string>> = { darwin: 'Template', win32: 'Windows' }

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
    const image = nativeImage.createFromPath(join(options.iconsDir, `${icon}${KIND[platform] ?? ''}.png`))
    if (platform === 'darwin') image.setTemplateImage(true)
    images.set(icon, image)
    return image
  }

  let shown = ''
  const tray = new Tray(imageOf(trayState(state.status).icon))
  // On macOS the click that opens the menu arrives here as well: the window would open with it.
  if (platform !== 'darwin') tray.on('click', () => needs.actions.open())

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
