import { Menu, nativeImage, Tray, type NativeImage } from 'electron'
import { join } from 'node:path'
import type { NodeState } from '../node-state.js'
import { trayLook, type TrayIcon } from './tray-look.js'
import { trayMenu, type TrayActions } from './tray-menu.js'

/** An icon in the desktop's tray, following the node until it is removed. Returns the way to remove it. */
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
    // macOS tints black pictures to suit the menu bar; beside each file lies one with `@2x` for dense screens.
    const name = platform === 'darwin' ? `${icon}Template.png` : `${icon}.png`
    const image = nativeImage.createFromPath(join(options.iconsDir, name))
    if (platform === 'darwin') image.setTemplateImage(true)
    images.set(icon, image)
    return image
  }

  let look = trayLook(state.status)
  let shown = ''
  const tray = new Tray(imageOf(look.icon))
  tray.on('click', () => needs.actions.open())

  function update(): void {
    look = trayLook(state.status)
    const menu = trayMenu(look, state.pause, actions)
    const now = JSON.stringify([look, menu])
    if (now === shown) return
    shown = now
    tray.setImage(imageOf(look.icon))
    tray.setToolTip(`Open Compute: ${look.sentence}`)
    tray.setContextMenu(Menu.buildFromTemplate(menu))
  }

  update()
  const unsubscribe = state.subscribe(update)
  return () => {
    unsubscribe()
    tray.destroy()
  }
}
