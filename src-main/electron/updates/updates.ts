import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { UpdateState } from '#shared/contract/node/update.js'
import type { UpdatesSource } from '../../api/index.js'
import type { Clock } from '../../base/clock.js'
import { Listeners } from '../../base/listeners.js'
import type { Log } from '../../logging/index.js'
import { UnsignedUpdate } from './signed-update.js'

/** A version that could be installed. */
interface Release {
  version: string
}

/** The part of an updater that is used; `updater.ts` makes the real one. */
export interface Updater {
  /** Undefined when this is the newest. */
  check(): Promise<Release | undefined>
  /** Resolves when it is on disk and was verified; `onPercent` gets 0 to 100. */
  download(onPercent: (percent: number) => void): Promise<void>
  /** Ends this program and starts the new one; rejects when that fails. */
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
  check: 'Could not check for a newer version. Check the connection and try again.',
  download: 'The newer version could not be downloaded or is not what its publisher made. Try again later.',
  signature: 'A newer version is offered, but its publisher has not signed it. It is not installed.',
} as const

/** Updates with the person's consent: check, download and install are separate requests, one at a time. */
export function createUpdates(needs: UpdatesNeeds): UpdatesSource {
  const log = needs.log.forComponent('updates')
  const listeners = new Listeners()
  let state: UpdateState = { kind: 'none', checkedAtMs: null }
  let found: Release | undefined
  let busy: Promise<UpdateState> | undefined

  function become(next: UpdateState): UpdateState {
    state = next
    listeners.notify()
    return state
  }

  async function check(): Promise<UpdateState> {
    become({ kind: 'checking' })
    found = undefined
    found = await needs.updater.check()
    return found === undefined
      ? { kind: 'none', checkedAtMs: needs.clock.now() }
      : { kind: 'available', version: found.version }
  }

  async function download({ version }: Release): Promise<UpdateState> {
    become({ kind: 'downloading', version, percent: 0 })
    await needs.updater.download((value) => {
      const percent = Math.min(100, Math.max(0, Math.floor(value)))
      // A late progress event must not undo the end of the download.
      if (state.kind === 'downloading' && percent !== state.percent) become({ kind: 'downloading', version, percent })
    })
    log.info('a newer version is ready to be installed', { version })
    return { kind: 'ready', version }
  }

  function once(doing: () => Promise<UpdateState>, step: 'check' | 'download'): Promise<UpdateState> {
    busy ??= doing()
      .catch((error: unknown): UpdateState => {
        log.warn('an update failed', { step, error })
        return { kind: 'failed', sentence: FAILURES[error instanceof UnsignedUpdate ? 'signature' : step] }
      })
      .then(become)
      .finally(() => (busy = undefined))
    return busy
  }

  return {
    get state() {
      return state
    },
    // A downloaded version waits to be installed; another check must not lose it.
    check: () => (state.kind === 'ready' ? Promise.resolve(state) : once(check, 'check')),
    download() {
      const release = found
      if (release === undefined || state.kind === 'ready') return Promise.resolve(state)
      return once(() => download(release), 'download')
    },
    install() {
      if (state.kind === 'ready') needs.restart()
    },
    subscribe: (listener) => listeners.add(listener),
  }
}

/** How this program was packed. */
export interface Packaging {
  isPackaged: boolean
  platform: NodeJS.Platform
  /** The folder with `app.asar` in it; the packager writes its files about updates there. */
  resourcesDir: string
  /** The file of an AppImage; undefined for everything else. */
  appImage: string | undefined
}

/** Why this program can't update itself, with what to do instead; undefined when it can. */
export function whyNoUpdates({ isPackaged, platform, resourcesDir, appImage }: Packaging): string | undefined {
  if (!isPackaged) return 'This app runs from its source code. Fetch the newer source and build it again.'
  if (platform === 'linux' && appImage === undefined) {
    const kind = packageType(resourcesDir)
    return kind === undefined
      ? 'This app was unpacked from an archive, which does not update itself. Unpack the newer archive in its place.'
      : `This app was installed as a ${kind} package, which does not update itself. Install the newer package over it.`
  }
  if (!existsSync(join(resourcesDir, 'app-update.yml'))) {
    return 'This package does not say where newer versions are published. Install the newer version over it.'
  }
  if (existsSync(join(resourcesDir, UPDATE_KEY_FILE))) return undefined
  return 'This package has no key to check newer versions with, so it does not update itself. Install the newer version over it.'
}

/** The publisher's public keys beside the program (SPKI, PEM): a newer version counts only with a signature of one. */
export const UPDATE_KEY_FILE = 'update-key.pem'

/** `deb` or `rpm`, which the packager notes. */
function packageType(resourcesDir: string): string | undefined {
  const file = join(resourcesDir, 'package-type')
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

/** Updates of a program that can't update itself: always `unsupported` with this sentence. */
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

/** The time between two checks. */
export const ROUND_MS = 24 * 60 * 60_000

/** Checks for newer versions once a day while the person wants that. */
export interface UpdateRounds {
  /** Call it after the preference has changed: checks at once when daily checks were switched on. */
  review(): void
  stop(): void
}

/** Daily rounds: check, download what is newer, repeat a day later. A downloaded version waits for the person. */
export function createUpdateRounds(needs: { updates: UpdatesSource; isWanted: () => boolean }): UpdateRounds {
  const { updates, isWanted } = needs
  let timer: NodeJS.Timeout | undefined

  async function round(): Promise<void> {
    const { kind } = await updates.check()
    // The person may have switched daily checks off meanwhile.
    if (kind === 'available' && isWanted()) await updates.download()
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    review() {
      if (!isWanted() || updates.state.kind === 'unsupported') {
        stop()
        return
      }
      if (timer !== undefined) return
      timer = setInterval(() => void round(), ROUND_MS)
      timer.unref()
      void round()
    },
    stop,
  }
}
