import { BrowserWindow, shell } from 'electron'
import { APP_URL } from './app-scheme.js'
import type { LinkedPage } from '../deep-link.js'

/** What is done with a new window besides showing it. */
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
    // Links lead to the system's browser, and only web addresses do: `file:` or `smb:` could start programs.
    if (url.startsWith('https://')) void shell.openExternal(url)
    return { action: 'deny' }
  })
  contents.on('will-navigate', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
  window.once('ready-to-show', () => (how === 'shown' ? window.show() : window.minimize()))
  options.prepare(window)
  void window.loadURL(addressOf(page))
}

/** Brings the window to the front, or opens one when there is none; `page` is shown in it, else what it shows stays. */
export function showWindow(options: WindowOptions, page?: LinkedPage): void {
  const [window] = BrowserWindow.getAllWindows()
  if (window === undefined) {
    openWindow(options, page)
    return
  }
  // Only the part after the # differs: the page is told and nothing is loaded anew.
  if (page !== undefined) void window.loadURL(addressOf(page))
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

function addressOf(page: LinkedPage | undefined): string {
  return `${APP_URL}index.html${page === undefined ? '' : `#/${page}`}`
}
