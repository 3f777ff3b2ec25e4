import { BrowserWindow, screen, shell } from 'electron'
import type { MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { LinkedPage } from '../deep-link.js'
import type { PreferencesFile } from '../preferences.js'
import { APP_URL } from './app-scheme.js'
import { reloadAfterCrash } from './crash-recovery.js'
import { addContextMenu } from './menus.js'
import { MIN_SIZE, placeWindow } from './placement.js'

/** What the dashboard's window needs. */
export interface WindowNeeds {
  preferences: PreferencesFile
  monotonic: MonotonicClock
  log: Log
  /** Called with each new window before it loads. */
  prepare(window: BrowserWindow): void
}

/** How new windows are made. */
export interface WindowOptions {
  preload: string
  /** The picture of the window where the system does not take it from the program. */
  icon: string | undefined
}

const DASHBOARD = `${APP_URL}index.html`
/** Pages without a script: they show while there is no node to ask, and where the dashboard can't be shown. */
const STARTING = `${APP_URL}starting.html`
const CRASHED = `${APP_URL}crashed.html`

/** A window that has painted nothing by then, ms, is shown all the same: some Wayland sessions never report it. */
const SHOWN_AT_LATEST_MS = 2_000

/** The one window: a page that says that the node starts, then the dashboard; opened again after it was closed. */
export class DashboardWindow {
  readonly #needs: WindowNeeds
  readonly #options: WindowOptions
  readonly #log: Log
  #isNodeRunning = false
  /** What the dashboard opens with once the node runs. */
  #page: LinkedPage | undefined

  /** Electron has to be ready before any of its calls. */
  constructor(needs: WindowNeeds, options: WindowOptions) {
    this.#needs = needs
    this.#options = options
    this.#log = needs.log.forComponent('window')
  }

  /** Whether there is a window now. */
  get isOpen(): boolean {
    return BrowserWindow.getAllWindows().length > 0
  }

  /** Brings the window to the front, or opens one; with `page`, that page is shown in it. */
  show(page?: LinkedPage): void {
    const [window] = BrowserWindow.getAllWindows()
    if (window === undefined) {
      this.open(page)
      return
    }
    this.#page = page ?? this.#page
    const isBroken = window.webContents.getURL().startsWith(CRASHED)
    // Where only the fragment differs, nothing is reloaded.
    if (this.#isNodeRunning && (page !== undefined || isBroken)) this.#load(window, this.#address(page))
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
  }

  /** Opens a window: sandboxed, without Node, and unable to leave the app. */
  open(page?: LinkedPage, how: 'shown' | 'minimized' = 'shown'): void {
    this.#page = page
    const remembered = this.#needs.preferences.now.window
    const displays = [screen.getPrimaryDisplay(), ...screen.getAllDisplays()]
    const window = new BrowserWindow({
      ...placeWindow(
        remembered,
        displays.map(({ workArea }) => workArea),
      ),
      minWidth: MIN_SIZE.width,
      minHeight: MIN_SIZE.height,
      show: false,
      title: 'Open Compute',
      autoHideMenuBar: true,
      ...(this.#options.icon === undefined ? {} : { icon: this.#options.icon }),
      webPreferences: {
        preload: this.#options.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        // Its dictionaries would be fetched from a server of Google's.
        spellcheck: false,
      },
    })
    keepWithin(window)
    addContextMenu(window)
    window.on('close', () => this.#rememberPlace(window))
    reloadAfterCrash(window.webContents, {
      monotonic: this.#needs.monotonic,
      log: this.#needs.log,
      gaveUp: () => this.#showCrashed(window),
    })
    revealOnce(window, () => {
      if (how === 'minimized') window.minimize()
      else if (remembered?.isMaximized === true) window.maximize()
      else window.show()
    })
    this.#needs.prepare(window)
    this.#load(window, this.#isNodeRunning ? this.#address(page) : STARTING)
  }

  /** The node runs: what is open becomes the dashboard, and new windows open with it. */
  nodeRuns(): void {
    this.#isNodeRunning = true
    for (const window of BrowserWindow.getAllWindows()) this.#load(window, this.#address(this.#page))
  }

  /** Closes without a question; the node has stopped, or never ran. */
  destroy(): void {
    for (const window of BrowserWindow.getAllWindows()) window.destroy()
  }

  /** Keeps where the window is for the next start. */
  rememberPlace(): void {
    for (const window of BrowserWindow.getAllWindows()) this.#rememberPlace(window)
  }

  #rememberPlace(window: Pick<BrowserWindow, 'getNormalBounds' | 'isMaximized'>): void {
    const { x, y, width, height } = window.getNormalBounds()
    const place = { x, y, width, height, isMaximized: window.isMaximized() }
    try {
      this.#needs.preferences.change({ window: place })
    } catch (error) {
      this.#log.warn('the place of the window could not be kept', { error })
    }
  }

  /** The node goes on, and so does the window: it says what happened. */
  #showCrashed(window: BrowserWindow): void {
    // Where even that page crashes, an empty window is left: it can be closed, and shown anew.
    if (!window.webContents.getURL().startsWith(CRASHED)) this.#load(window, CRASHED)
  }

  /** A page that another one overtakes while it loads is no failure. */
  #load(window: Pick<BrowserWindow, 'loadURL'>, url: string): void {
    window.loadURL(url).catch((error: unknown) => this.#log.debug('a page was not loaded to its end', { url, error }))
  }

  #address(page: LinkedPage | undefined): string {
    return `${DASHBOARD}${page === undefined ? '' : `#/${page}`}`
  }
}

/** Keeps the window's page within the app. */
function keepWithin({ webContents }: BrowserWindow): void {
  webContents.setWindowOpenHandler(({ url }) => {
    // Links open in the system's browser, web addresses and new mails only: `file:` or `smb:` could start programs.
    if (url.startsWith('https://') || isNewMail(url)) void shell.openExternal(url)
    return { action: 'deny' }
  })
  webContents.on('will-navigate', (event) => {
    // The way back from the page that says that the dashboard crashed.
    if (event.url !== DASHBOARD) event.preventDefault()
  })
  webContents.on('will-attach-webview', (event) => event.preventDefault())
}

/** Longer ones are cut off, or refused, by some mail programs. */
const MAX_MAIL_LENGTH = 4_000

/** A mail to nobody yet, with a subject and a text: who gets it, and what is attached, is the person's choice. */
function isNewMail(url: string): boolean {
  if (!url.startsWith('mailto:?') || url.length > MAX_MAIL_LENGTH || !/^[!-~]+$/.test(url)) return false
  const { protocol, pathname, hash, searchParams } = new URL(url)
  const fields = [...searchParams.keys()]
  const isKnown = fields.every((field) => field === 'subject' || field === 'body')
  return protocol === 'mailto:' && pathname === '' && hash === '' && isKnown && new Set(fields).size === fields.length
}

/** Calls `reveal` once, as soon as there is something to see. */
function revealOnce(window: BrowserWindow, reveal: () => void): void {
  let isDone = false
  const once = (): void => {
    clearTimeout(timer)
    if (isDone || window.isDestroyed()) return
    isDone = true
    reveal()
  }
  const timer = setTimeout(once, SHOWN_AT_LATEST_MS)
  window.once('ready-to-show', once)
  window.webContents.once('did-finish-load', once)
  window.once('closed', () => clearTimeout(timer))
}
