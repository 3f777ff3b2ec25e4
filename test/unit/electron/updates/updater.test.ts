import { EventEmitter } from 'node:events'
import type { AppUpdater } from 'electron-updater'
import { expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { signedUpdateList } from '../../../../.ci/sign-updates.ts'
import { UnsignedUpdate } from '../../../../src-main/electron/updates/signed-update.js'
import { createUpdater, handOver } from '../../../../src-main/electron/updates/updater.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { updateKeys } from '../../../fixtures/update-feed.js'

const KEYS = updateKeys()
const SHA512 = Buffer.alloc(64, 7).toString('base64')

/** What the updater found, signed as a release is. */
function offer(version: string, keys = KEYS): { isUpdateAvailable: true; updateInfo: Record<string, unknown> } {
  const list = `version: ${version}\nfiles:\n  - url: a.AppImage\n    sha512: ${SHA512}\n    size: 1\npath: a.AppImage\n`
  return { isUpdateAvailable: true, updateInfo: parse(signedUpdateList(list, keys)) as Record<string, unknown> }
}

/** The part of electron-updater that is used, with its defaults. */
class FakeAppUpdater extends EventEmitter {
  autoDownload = true
  autoInstallOnAppQuit = true
  allowDowngrade = true
  disableWebInstaller = false
  requestHeaders: object | null = null
  logger: unknown = console
  result: object | null = offer('0.2.0')
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
  return { fake, load, log, updater: createUpdater({ log, load, publicKeys: KEYS.publicKeys }) }
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
  await updater.check()
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

test.each<[what: string, change: (info: Record<string, unknown>) => Record<string, unknown>]>([
  ['no signature', ({ signature: _, ...info }) => info],
  ['a signature that is no text', (info) => ({ ...info, signature: [info['signature']] })],
  ['the signature of another version', (info) => ({ ...info, version: '0.3.0' })],
  ['another checksum', (info) => ({ ...info, files: [{ url: 'a.AppImage', sha512: SHA512.replace('B', 'C') }] })],
  ['another file', (info) => ({ ...info, files: [{ url: 'https://evil.example/a', sha512: SHA512 }] })],
  ['a file more', (info) => ({ ...info, files: [...(info['files'] as object[]), { url: 'b', sha512: SHA512 }] })],
  ['no files, so that the updater goes by other members', (info) => ({ ...info, files: [], sha512: SHA512 })],
  ['packages, which the updater would prefer', (info) => ({ ...info, packages: { x64: { path: 'x', sha512: 'y' } } })],
  ['the signature of another key', () => offer('0.2.0', updateKeys()).updateInfo],
])('a newer version with %s is refused before anything is downloaded', async (_what, change) => {
  const { fake, updater } = setUp()
  fake.result = { isUpdateAvailable: true, updateInfo: change(offer('0.2.0').updateInfo) }
  await expect(updater.check()).rejects.toThrow(UnsignedUpdate)
  await expect(updater.download(() => undefined)).rejects.toThrow('No signed version')
  expect(fake.downloadUpdate).not.toHaveBeenCalled()
})

test('a signed version that was found before does not let an unsigned one be downloaded', async () => {
  const { fake, updater } = setUp()
  await updater.check()
  fake.result = { isUpdateAvailable: true, updateInfo: { ...offer('0.2.0').updateInfo, version: '0.9.0' } }
  await expect(updater.check()).rejects.toThrow(UnsignedUpdate)
  await expect(updater.download(() => undefined)).rejects.toThrow('No signed version')
})
