import { BrowserWindow, shell } from 'electron'
import { APP_URL } from './app-scheme.js'

/** Opens the dashboard's window: sandboxed, without Node, and unable to leave the app. */
export function openWindow(options: { preload: string }): BrowserWindow {
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
  window.once('ready-to-show', () => window.show())
  void window.loadURL(`${APP_URL}index.html`)
  return window
}

/** Brings the window to the front, or opens one when there is none. */
export function showWindow(options: { preload: string }): void {
  const [window] = BrowserWindow.getAllWindows()
  if (window === undefined) {
    openWindow(options)
    return
  }
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}
