import { BrowserWindow, Menu, shell, type MenuItemConstructorOptions } from 'electron'
import type { LinkedPage } from '../deep-link.js'
import { APP_URL } from './app-scheme.js'

/** How new windows are made. */
export interface WindowOptions {
  preload: string
  /** Called with each new window before it loads. */
  prepare(window: BrowserWindow): void
}

/** Opens the dashboard's window: sandboxed, without Node, and unable to leave the app. */
export function openWindow(options: WindowOptions, page?: LinkedPage, how: 'shown' | 'minimized' = 'shown'): void {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
    minWidth: 720,
    minHeight: 480,
    show: false,
    title: 'Open Compute',
    autoHideMenuBar: true,
    webPreferences: { preload: options.preload, sandbox: true, contextIsolation: true, nodeIntegration: false },
  })
  const contents = window.webContents
  contents.setWindowOpenHandler(({ url }) => {
    // Links open in the system's browser, web addresses only: `file:` or `smb:` could start programs.
    if (url.startsWith('https://')) void shell.openExternal(url)
    return { action: 'deny' }
  })
  contents.on('will-navigate', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
  window.once('ready-to-show', () => (how === 'shown' ? window.show() : window.minimize()))
  options.prepare(window)
  void window.loadURL(addressOf(page))
}

/** Brings the window to the front, or opens one; with `page`, that page is shown in it. */
export function showWindow(options: WindowOptions, page?: LinkedPage): void {
  const [window] = BrowserWindow.getAllWindows()
  if (window === undefined) {
    openWindow(options, page)
    return
  }
  // Only the fragment differs, so nothing is reloaded.
  if (page !== undefined) void window.loadURL(addressOf(page))
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

function addressOf(page: LinkedPage | undefined): string {
  return `${APP_URL}index.html${page === undefined ? '' : `#/${page}`}`
}

/** The menu bar: the system's own entries for editing and windows, and none for developers. */
export function setAppMenu(platform: NodeJS.Platform = process.platform): void {
  const first: MenuItemConstructorOptions =
    platform === 'darwin' ? { role: 'appMenu' } : { label: 'File', submenu: [{ role: 'close' }, { role: 'quit' }] }
  const view: MenuItemConstructorOptions = {
    label: 'View',
    submenu: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
    ],
  }
  Menu.setApplicationMenu(Menu.buildFromTemplate([first, { role: 'editMenu' }, view, { role: 'windowMenu' }]))
}
