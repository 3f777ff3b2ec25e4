import { Notification } from 'electron'
import type { Log } from '../logging/index.js'
import type { LinkedPage } from './deep-link.js'
import type { Notice } from './notices.js'

/** Shows notices as the system's notifications; a click on one opens its page. */
export class Notifications {
  readonly #open: (page?: LinkedPage) => void
  readonly #log: Log
  /** Those that may still be clicked: one that nothing refers to is collected, and its click with it. */
  readonly #shown = new Set<Notification>()

  /** Electron has to be ready. */
  constructor(needs: { open: (page?: LinkedPage) => void; log: Log }, platform: NodeJS.Platform = process.platform) {
    this.#open = needs.open
    this.#log = needs.log.forComponent('shell')
    // Windows keeps notifications longer than this process lives; a click on an old one opens the window.
    if (platform === 'win32') Notification.handleActivation(() => this.#open())
  }

  /** Whether this system shows notifications. */
  get isSupported(): boolean {
    return Notification.isSupported()
  }

  /** Shows the notice where notifications are supported; one that fails is logged. */
  show(notice: Notice): void {
    if (!this.isSupported) return
    const notification = new Notification({ title: notice.title, body: notice.body })
    const done = (): void => void this.#shown.delete(notification)
    this.#shown.add(notification)
    notification.on('click', () => {
      done()
      this.#open(notice.page)
    })
    notification.on('close', done)
    notification.on('failed', (_event, error) => {
      done()
      this.#log.warn('a notification could not be shown', { title: notice.title, error })
    })
    notification.show()
  }
}
