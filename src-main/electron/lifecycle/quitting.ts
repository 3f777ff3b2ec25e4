import { app, powerMonitor } from 'electron'
import type { Log } from '../../logging/index.js'

/**
 * The way this app ends. Quitting is held until the node has stopped, and the process ends by `app.exit` afterwards.
 * The end of the session (log-out, restart, shutdown) is never held: macOS takes a held quit for a refusal and calls the
 * log-out off. The node then withdraws as far as it gets.
 */
export class Quitting {
  readonly #asked = new AbortController()
  #isHeld = true

  constructor() {
    app.on('before-quit', (event) => {
      if (this.#isHeld) event.preventDefault()
      this.ask()
    })
  }

  /** Aborts, once, when the app is to end. */
  get signal(): AbortSignal {
    return this.#asked.signal
  }

  /** Resolves when the app is to end. */
  get asked(): Promise<void> {
    const { signal } = this
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  /** Asks for an orderly end. */
  readonly ask = (): void => this.#asked.abort(new Error('The app was quit.'))

  /** Follows the end of the session; call it once Electron is ready and before there is a window. */
  followSession(log: Log): void {
    const onEnd = (): void => {
      if (!this.signal.aborted) log.info('the session ends: the node withdraws without holding it')
      this.release()
      this.ask()
    }
    // macOS and Linux. On macOS also for Quit in the Dock's menu, which can't be told from a log-out.
    powerMonitor.on('shutdown', onEnd)
    // Windows reports it to windows alone. The first event comes while there is still time for a message to peers.
    app.on('browser-window-created', (_event, window) => {
      window.on('query-session-end', onEnd)
      window.on('session-end', onEnd)
    })
  }

  /** From now on a quit ends the process. */
  release(): void {
    this.#isHeld = false
  }
}
