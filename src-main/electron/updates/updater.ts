import type { AppUpdater } from 'electron-updater'
import type { Log } from '../../logging/index.js'
import type { Updater } from './updates.js'

/** Tells nobody apart: the updater would send a random number of this installation with each look. */
const HEADERS = { 'x-user-staging-id': 'none' }

/**
 * electron-updater, loaded at its first use. It looks, downloads and installs only when told to, and its errors are the
 * rejections of the call they belong to.
 */
export function createUpdater(needs: { log: Log; load?: () => Promise<AppUpdater> }): Updater {
  const log = needs.log.forComponent('updates')
  const load = needs.load ?? loadAutoUpdater
  let loading: Promise<AppUpdater> | undefined

  async function prepare(): Promise<AppUpdater> {
    const updater = await load()
    updater.autoDownload = false
    updater.autoInstallOnAppQuit = false
    updater.allowDowngrade = false
    updater.disableWebInstaller = true
    updater.requestHeaders = HEADERS
    const note = (message: unknown): void => log.debug('the updater says', { message: String(message) })
    updater.logger = { info: note, warn: note, error: note, debug: note }
    // An `error` event without a listener would end the program; the call that failed tells it too.
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
      const result = await (await open()).checkForUpdates()
      if (result === null) throw new Error('The updater does not work for this kind of package.')
      return result.isUpdateAvailable ? { version: result.updateInfo.version } : undefined
    },
    async download(onPercent) {
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
