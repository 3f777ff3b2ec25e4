import { join } from 'node:path'
import { app, powerMonitor } from 'electron'
import type { Capability } from '#shared/contract/node/node.js'
import type { Control } from '../api/index.js'
import type { MonotonicClock } from '../base/clock.js'
import type { Log } from '../logging/index.js'
import type { Autostart } from './autostart.js'
import type { LinkedPage } from './deep-link.js'
import { followNode } from './node-state.js'
import { followForNotices } from './notices.js'
import { Notifications } from './notifications.js'
import { watchSleep, type Sleeper } from './power.js'
import type { PreferencesFile } from './preferences.js'
import { hasTrayHost, whenTrayHost } from './tray/tray-host.js'
import { showTray } from './tray/tray.js'
import { closingFacts, guardClosing, whatClosingDoes, type ClosingNeeds } from './window/closing.js'
import { DashboardWindow } from './window/window.js'

/** What the desktop shell needs. */
export interface ShellNeeds {
  preferences: PreferencesFile
  autostart: Autostart | undefined
  monotonic: MonotonicClock
  log: Log
  quit: () => void
}

/** Options of the shell. */
export interface ShellOptions {
  /** The folder with `preload`, `tray` and `window` in it. */
  builtDir: string
  /** Whether this app can update itself. */
  canUpdate: boolean
  platform: NodeJS.Platform
}

/** Window, tray and notifications: the window at once, the others around a running node. */
export class Shell {
  readonly notifications: Notifications
  readonly #needs: ShellNeeds
  readonly #options: ShellOptions
  readonly #window: DashboardWindow
  readonly #closing: ClosingNeeds
  readonly #stops: (() => void)[] = []
  #removeTray: (() => void) | undefined

  /** Electron has to be ready. */
  constructor(needs: ShellNeeds, options: ShellOptions) {
    const { preferences, log } = needs
    this.#needs = needs
    this.#options = options
    this.#closing = { preferences, log, hasTray: () => this.#removeTray !== undefined }
    this.#window = new DashboardWindow(
      { ...needs, prepare: (window) => guardClosing(window, this.#closing) },
      {
        preload: join(options.builtDir, 'preload', 'preload.cjs'),
        // Windows and macOS take it from the program.
        icon: options.platform === 'linux' ? join(options.builtDir, 'window', 'icon.png') : undefined,
      },
    )
    this.notifications = new Notifications({ open: this.show, log }, options.platform)
    app.on('window-all-closed', () => {
      if (whatClosingDoes(closingFacts(this.#closing)) !== 'keep') needs.quit()
    })
  }

  /** What its pages may offer now. */
  get capabilities(): Capability[] {
    const offered: Capability[] = ['open-external']
    if (this.notifications.isSupported) offered.push('notifications')
    if (this.#needs.autostart !== undefined) offered.push('autostart')
    if (this.#closing.hasTray()) offered.push('close-to-tray')
    if (this.#options.canUpdate) offered.push('self-update')
    return offered
  }

  /** Brings the window to the front, or opens it. */
  readonly show = (page?: LinkedPage): void => this.#window.show(page)

  /** The node runs: the window becomes its dashboard, and the tray and the notifications follow it. */
  async attach(running: { control: Control; node: Sleeper }, { background }: { background: boolean }): Promise<void> {
    const { log, preferences } = this.#needs
    const { control, node } = running
    const state = followNode({ control, log })
    const addTray = (): void => {
      this.#removeTray ??= showTray(
        { state, actions: { open: () => this.show(), quit: this.#needs.quit } },
        { iconsDir: join(this.#options.builtDir, 'tray'), platform: this.#options.platform },
      )
    }
    this.#stops.push(
      () => state.stop(),
      whenTrayHost(addTray),
      followForNotices({ state, control, preferences, show: (notice) => this.notifications.show(notice), log }),
      watchSleep({ power: powerMonitor, node, log }),
    )
    this.#window.nodeRuns()
    // The node must not run invisibly.
    if (background && !(await hasTrayHost()) && !this.#window.isOpen) this.#window.open(undefined, 'minimized')
  }

  /** Stops following the node; the window stays until the process ends. */
  stop(): void {
    this.#window.rememberPlace()
    for (const stop of this.#stops.splice(0)) stop()
    this.#removeTray?.()
  }

  /** Takes the window away, as where the node could not start. */
  destroyWindow(): void {
    this.#window.destroy()
  }
}
