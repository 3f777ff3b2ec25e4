import type { AppUpdater } from 'electron-updater'
import { within } from '../../base/within.js'
import type { Log } from '../../logging/index.js'
import { assertSigned } from './signed-update.js'
import type { Updater } from './updates.js'

/** Replaces the random number of this installation that the updater would send with each check. */
const HEADERS = { 'x-user-staging-id': 'none' }

/**
 * electron-updater, loaded at its first use. It checks, downloads and installs only on request, and its errors
 * are the rejections of the call they belong to. A version counts only with its publisher's signature (`publicKeys`, PEM);
 * the updater then compares what it downloads with the checksums that were signed.
 */
export function createUpdater(needs: { log: Log; publicKeys: string; load?: () => Promise<AppUpdater> }): Updater {
  const log = needs.log.forComponent('updates')
  const load = needs.load ?? loadAutoUpdater
  let loading: Promise<AppUpdater> | undefined
  /** What the updater would download now was signed. */
  let isSigned = false

  async function prepare(): Promise<AppUpdater> {
    const updater = await load()
    updater.autoDownload = false
    updater.autoInstallOnAppQuit = false
    updater.allowDowngrade = false
    updater.disableWebInstaller = true
    updater.requestHeaders = HEADERS
    const note = (message: unknown): void => log.debug('the updater says', { message: String(message) })
    updater.logger = { info: note, warn: note, error: note, debug: note }
    // An `error` event without a listener would end the program; the failed call rejects as well.
    updater.on('error', (error) => log.debug('the updater failed', { error }))
    return updater
  }

  function open(): Promise<AppUpdater> {
    loading ??= prepare().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }

  return {
    async check() {
      const updater = await open()
      isSigned = false
      const result = await updater.checkForUpdates()
      if (result === null) throw new Error('The updater does not work for this kind of package.')
      if (!result.isUpdateAvailable) return undefined
      assertSigned(result.updateInfo, needs.publicKeys)
      isSigned = true
      return { version: result.updateInfo.version }
    },
    async download(onPercent) {
      if (!isSigned) throw new Error('No signed version was found.')
      const updater = await open()
      const onProgress = ({ percent }: { percent: number }): void => onPercent(percent)
      updater.on('download-progress', onProgress)
      try {
        await updater.downloadUpdate()
      } finally {
        updater.off('download-progress', onProgress)
      }
    },
    async install() {
      const updater = await open()
      return new Promise<never>((_resolve, reject) => {
        updater.once('error', reject)
        updater.quitAndInstall(false, true)
      })
    },
  }
}

/** A CommonJS module whose only way to the updater is a getter: named imports don't find it. */
async function loadAutoUpdater(): Promise<AppUpdater> {
  const { default: module } = await import('electron-updater')
  return module.autoUpdater
}

/** How long the system may take to end this program after the installer was started. */
const HAND_OVER_MS = 60_000

/**
 * Lets the new version take over from this program, whose node has stopped. The process ends meanwhile; this returns
 * only when that failed.
 */
export async function handOver(needs: { updater: Updater; log: Log; limitMs?: number }): Promise<void> {
  const log = needs.log.forComponent('updates')
  try {
    await within(needs.updater.install(), needs.limitMs ?? HAND_OVER_MS, () => {
      throw new Error('The system did not end this program.')
    })
  } catch (error) {
    log.error('the newer version could not be installed', { error })
  }
}
