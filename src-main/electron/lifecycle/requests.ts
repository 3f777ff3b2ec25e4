import { app } from 'electron'
import { readLaunch } from '../argv.js'
import { parseDeepLink, type LinkedPage } from '../deep-link.js'

/**
 * What others ask of the running app: a second start, a link, a click on the Dock's icon. All ask for the window; those
 * that come before there can be one are answered by {@link Requests.serve}.
 */
export class Requests {
  #show: ((page: LinkedPage | undefined) => void) | undefined
  #waiting: { page: LinkedPage | undefined } | undefined

  /** Listens from now on; on macOS a link that starts the app comes before Electron is ready. */
  constructor() {
    app.on('second-instance', (_event, argv) => {
      this.#ask(readLaunch(argv, { isPackaged: app.isPackaged, appPath: app.getAppPath() }).page)
    })
    app.on('open-url', (event, url) => {
      event.preventDefault()
      this.#ask(parseDeepLink(url))
    })
  }

  /** Answers with `show` from now on, and what has been asked so far at once. */
  serve(show: (page: LinkedPage | undefined) => void): void {
    this.#show = show
    const waiting = this.#waiting
    this.#waiting = undefined
    // macOS also reports the start itself in this way: kept until now, it would open the window at each login.
    app.on('activate', () => this.#ask(undefined))
    if (waiting !== undefined) show(waiting.page)
  }

  #ask(page: LinkedPage | undefined): void {
    // A page that was asked for is not forgotten for a request that names none.
    if (this.#show === undefined) this.#waiting = { page: page ?? this.#waiting?.page }
    else this.#show(page)
  }
}
