import type { UpdateState } from '#shared/contract/update.js'
import type { UpdatesSource } from '../api/handlers/update.js'
import type { Clock } from '../base/clock.js'
import type { Log } from '../logging/index.js'

/** A version that could be installed. */
interface Release {
  version: string
}

/** What is used of an updater; the real one is made by `updater.ts`. */
export interface Updater {
  /** Undefined when this is the newest. */
  check(): Promise<Release | undefined>
  /** Resolves when it is on disk and was verified; `onPercent` hears from 0 to 100. */
  download(onPercent: (percent: number) => void): Promise<void>
  /** Ends this program and starts the new one; rejects when that can't be done. */
  install(): Promise<never>
}

/** What updates stand on. */
export interface UpdatesNeeds {
  updater: Updater
  clock: Clock
  log: Log
  /** Stops everything so that the new version can take over. */
  restart(): void
}

const FAILURES = {
  check: 'Could not look for a newer version. Check the connection and try again.',
  download: 'The newer version could not be downloaded or is not what its publisher made. Try again later.',
} as const

/** Updates with the person's consent: looking, downloading and installing are each asked for, one at a time. */
export function createUpdates(needs: UpdatesNeeds): UpdatesSource {
  const log = needs.log.forComponent('updates')
  const listeners = new Set<() => void>()
  let state: UpdateState = { kind: 'none', checkedAtMs: null }
  let found: Release | undefined
  let busy: Promise<UpdateState> | undefined

  function become(next: UpdateState): UpdateState {
    state = next
    for (const listener of [...listeners]) listener()
    return state
  }

  async function look(): Promise<UpdateState> {
    become({ kind: 'checking' })
    found = await needs.updater.check()
    return found === undefined
      ? { kind: 'none', checkedAtMs: needs.clock.now() }
      : { kind: 'available', version: found.version }
  }

  async function fetchIt({ version }: Release): Promise<UpdateState> {
    become({ kind: 'downloading', version, percent: 0 })
    await needs.updater.download((value) => {
      const percent = Math.min(100, Math.max(0, Math.floor(value)))
      // Late news of a download that has ended would undo its end.
      if (state.kind === 'downloading' && percent !== state.percent) become({ kind: 'downloading', version, percent })
    })
    log.info('a newer version is ready to be installed', { version })
    return { kind: 'ready', version }
  }

  function once(doing: () => Promise<UpdateState>, step: keyof typeof FAILURES): Promise<UpdateState> {
    busy ??= doing()
      .catch((error: unknown): UpdateState => {
        log.warn('an update failed', { step, error })
        return { kind: 'failed', sentence: FAILURES[step] }
      })
      .then(become)
      .finally(() => (busy = undefined))
    return busy
  }

  return {
    get state() {
      return state
    },
    // What was downloaded waits to be installed; asking again must not lose it.
    check: () => (state.kind === 'ready' ? Promise.resolve(state) : once(look, 'check')),
    download() {
      const release = found
      if (release === undefined || state.kind === 'ready') return Promise.resolve(state)
      return once(() => fetchIt(release), 'download')
    },
    install() {
      if (state.kind === 'ready') needs.restart()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Updates of a program that can't update itself: always the sentence that says so. */
export function createNoUpdates(sentence: string): UpdatesSource {
  const state: UpdateState = { kind: 'unsupported', sentence }
  return {
    state,
    check: () => Promise.resolve(state),
    download: () => Promise.resolve(state),
    install: () => undefined,
    subscribe: () => () => undefined,
  }
}
