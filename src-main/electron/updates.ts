import type { Log } from '../logging/index.js'

/** A version that could be installed. */
export interface Release {
  version: string
}

/** What is used of an updater such as electron-updater's `autoUpdater` with `autoDownload` off. */
export interface UpdateSource {
  /** Undefined when this is the newest. */
  check(): Promise<Release | undefined>
  /** Resolves when it is on disk and its signature was checked. */
  download(release: Release): Promise<void>
  /** Ends this program and starts the new one. */
  install(): void
}

/** How far an update is. */
export type UpdateState =
  | { kind: 'none' }
  | { kind: 'available' | 'downloading' | 'ready'; version: string }
  | { kind: 'failed'; sentence: string }

/** Updates with the person's consent: looking, downloading and installing are each asked for. */
export interface Updates {
  readonly state: UpdateState
  check(): Promise<UpdateState>
  /** Does nothing unless a version is available. */
  download(): Promise<UpdateState>
  /** Does nothing unless it is ready. */
  install(): void
}

/** Updates over a source; `onReady` is told once the new version can be installed. One thing is done at a time. */
export function createUpdates(needs: { source: UpdateSource; log: Log; onReady: (release: Release) => void }): Updates {
  const log = needs.log.forComponent('updates')
  let state: UpdateState = { kind: 'none' }
  let found: Release | undefined
  let busy: Promise<UpdateState> | undefined

  async function attempt(doing: () => Promise<UpdateState>, failure: string): Promise<UpdateState> {
    try {
      state = await doing()
    } catch (error) {
      log.warn('an update failed', { error })
      state = { kind: 'failed', sentence: failure }
    }
    return state
  }

  async function look(): Promise<UpdateState> {
    found = await needs.source.check()
    return found === undefined ? { kind: 'none' } : { kind: 'available', version: found.version }
  }

  async function fetchIt(release: Release): Promise<UpdateState> {
    state = { kind: 'downloading', version: release.version }
    await needs.source.download(release)
    needs.onReady(release)
    return { kind: 'ready', version: release.version }
  }

  function once(doing: () => Promise<UpdateState>, failure: string): Promise<UpdateState> {
    busy ??= attempt(doing, failure).finally(() => (busy = undefined))
    return busy
  }

  return {
    get state() {
      return state
    },
    check: () =>
      // What was downloaded waits to be installed; asking again must not lose it.
      state.kind === 'ready'
        ? Promise.resolve(state)
        : once(look, 'Could not look for a newer version. Check the connection and try again.'),
    download() {
      const release = found
      if (release === undefined || state.kind === 'ready') return Promise.resolve(state)
      return once(() => fetchIt(release), 'The newer version could not be downloaded. Try again later.')
    },
    install() {
      if (state.kind === 'ready') needs.source.install()
    },
  }
}
