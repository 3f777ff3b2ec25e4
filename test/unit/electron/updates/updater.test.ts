import { EventEmitter } from 'node:events'
import type { AppUpdater } from 'electron-updater'
import { expect, test, vi } from 'vitest'
import { createUpdater, handOver } from '../../../../src-main/electron/updates/updater.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

/** The part of electron-updater that is used, with its defaults. */
class FakeAppUpdater extends EventEmitter {
  autoDownload = true
  autoInstallOnAppQuit = true
  allowDowngrade = true
  disableWebInstaller = false
  requestHeaders: object | null = null
  logger: unknown = console
  result: object | null = { isUpdateAvailable: true, updateInfo: { version: '0.2.0' } }
  failure: Error | undefined
  checkForUpdates = vi.fn(() => {
    if (this.failure === undefined) return Promise.resolve(this.result)
    this.emit('error', this.failure)
    return Promise.reject(this.failure)
  })
  downloadUpdate = vi.fn(() => {
    this.emit('download-progress', { percent: 50 })
    return Promise.resolve([])
  })
  quitAndInstall = vi.fn(() => {
    if (this.failure !== undefined) this.emit('error', this.failure)
  })
}

function setUp() {
  const fake = new FakeAppUpdater()
  const load = vi.fn(() => Promise.resolve(fake as unknown as AppUpdater))
  const log = createRecordingLog()
  return { fake, load, log, updater: createUpdater({ log, load }) }
}

test('the updater is loaded at its first use and does nothing of its own accord', async () => {
  const { fake, load, updater } = setUp()
  expect(load).not.toHaveBeenCalled()
  expect(await updater.check()).toEqual({ version: '0.2.0' })
  await updater.check()
  expect(load).toHaveBeenCalledOnce()
  expect(fake).toMatchObject({
    autoDownload: false,
    autoInstallOnAppQuit: false,
    allowDowngrade: false,
    disableWebInstaller: true,
    requestHeaders: { 'x-user-staging-id': 'none' },
  })
})

test('the newest version needs nothing, and a package without an updater says so', async () => {
  const { fake, updater } = setUp()
  fake.result = { isUpdateAvailable: false, updateInfo: { version: '0.1.0' } }
  expect(await updater.check()).toBeUndefined()
  fake.result = null
  await expect(updater.check()).rejects.toThrow('does not work for this kind of package')
})

test('an error event ends nothing: it rejects the call it belongs to', async () => {
  const { fake, updater } = setUp()
  fake.failure = new Error('no route')
  await expect(updater.check()).rejects.toThrow('no route')
  await expect(updater.install()).rejects.toThrow('no route')
  fake.emit('error', new Error('late'))
})

test('progress is told during the download and not after it', async () => {
  const { fake, updater } = setUp()
  const onPercent = vi.fn()
  await updater.download(onPercent)
  fake.emit('download-progress', { percent: 99 })
  expect(onPercent.mock.calls).toEqual([[50]])
})

test('an updater that could not be loaded is tried again', async () => {
  const { load, updater } = setUp()
  load.mockRejectedValueOnce(new Error('broken'))
  await expect(updater.check()).rejects.toThrow('broken')
  expect(await updater.check()).toEqual({ version: '0.2.0' })
})

test('a hand-over that fails or does not happen is logged and comes back', async () => {
  const { fake, log, updater } = setUp()
  await handOver({ updater, log, limitMs: 1 })
  fake.failure = new Error('read-only')
  await handOver({ updater, log })
  expect(log.lines.filter(({ level }) => level === 'error').length).toBe(2)
})
