import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findProgram, startAgain } from '../../../../src-main/electron/lifecycle/program.js'

let dir: string
let execPath: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocf-program-'))
  mkdirSync(join(dir, 'mount', 'usr'), { recursive: true })
  mkdirSync(join(dir, 'mount-of-another'))
  execPath = join(dir, 'mount', 'usr', 'ocf-desktop')
  writeFileSync(execPath, '')
  symlinkSync(join(dir, 'mount'), join(dir, 'link'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const inEnv = (APPIMAGE: string | undefined, APPDIR: string | undefined) =>
  findProgram({ execPath, env: { ...(APPIMAGE && { APPIMAGE }), ...(APPDIR && { APPDIR }) } })

test('a program in the folder of its AppImage is started by the AppImage', () => {
  const own = { path: '/home/ann/ocf.AppImage', appImage: '/home/ann/ocf.AppImage' }
  expect(inEnv('/home/ann/ocf.AppImage', join(dir, 'mount'))).toEqual(own)
  expect(inEnv('/home/ann/ocf.AppImage', join(dir, 'link'))).toEqual(own)
})

test.each([
  ['that of another program’s terminal', '/other.AppImage', 'mount-of-another'],
  ['one without a folder', '/other.AppImage', undefined],
  ['one whose folder is gone', '/other.AppImage', 'gone'],
  ['one that is no path', 'other.AppImage', 'mount'],
  ['none', undefined, 'mount'],
])('an AppImage in the environment is not believed when it is %s', (_what, image, folder) => {
  const appDir = folder === undefined ? undefined : join(dir, folder)
  expect(inEnv(image, appDir)).toEqual({ path: execPath, appImage: undefined })
})

test('a program that is no AppImage is started again by Electron', () => {
  const relaunch = vi.fn()
  startAgain({ app: { relaunch }, program: { path: '/opt/ocf', appImage: undefined } }, ['--restarted=1'])
  expect(relaunch).toHaveBeenCalledExactlyOnceWith({ execPath: '/opt/ocf', args: ['--restarted=1'] })
})
