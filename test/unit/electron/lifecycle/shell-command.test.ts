import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const dialog = vi.hoisted(() => ({ showMessageBox: vi.fn(), showErrorBox: vi.fn() }))
vi.mock('electron', () => ({ dialog }))
const { commandFile, offerCommand, writeCommand } =
  await import('../../../../src-main/electron/lifecycle/shell-command.js')
const { createRecordingLog } = await import('../../../fixtures/recording-log.js')

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ocf-command-'))
  vi.resetAllMocks()
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const facts = (platform: NodeJS.Platform, path: string, appImage?: string) => ({
  platform,
  program: { path, appImage },
  home,
  env: { LOCALAPPDATA: 'C:\\Users\\ann\\AppData\\Local', PATH: '/usr/bin' },
})

test('on macOS the command is a script that starts the app’s own program', () => {
  const file = commandFile(facts('darwin', "/Applications/Ann's/Open Compute"))
  expect(file?.path).toBe(join(home, '.local', 'bin', 'ocf'))
  expect(file?.text).toContain(String.raw`exec '/Applications/Ann'\''s/Open Compute' --cli "$@"`)
})

test('an AppImage’s command needs no display', () => {
  const text = commandFile(facts('linux', '/x.AppImage', '/x.AppImage'))?.text
  expect(text).toContain(`exec '/x.AppImage' --ozone-platform=headless --disable-gpu --cli "$@"`)
})

test('a deb, an rpm and an archive have no command to install', () => {
  expect(commandFile(facts('linux', '/opt/Open Compute/ocf-desktop'))).toBeUndefined()
})

test('on Windows the command calls the one that came with the program', () => {
  const file = commandFile(facts('win32', '/Programs/100%/Open Compute.exe'))
  expect(file?.path).toContain('WindowsApps')
  expect(file?.text).toContain(`@call "${join('/Programs/100%%', 'bin', 'ocf.cmd')}" %*\r\n`)
})

test('nothing is written before the person agrees', async () => {
  const mac = facts('darwin', '/Applications/Open Compute')
  const file = commandFile(mac)!
  dialog.showMessageBox.mockResolvedValue({ response: 1 })
  await offerCommand(file, { facts: mac, log: createRecordingLog() })
  expect(() => statSync(file.path)).toThrow('ENOENT')
  dialog.showMessageBox.mockResolvedValue({ response: 0 })
  await offerCommand(file, { facts: mac, log: createRecordingLog() })
  expect(readFileSync(file.path, 'utf8')).toBe(file.text)
  expect(statSync(file.path).mode & 0o777).toBe(0o755)
  expect(dialog.showMessageBox).toHaveBeenLastCalledWith(
    expect.objectContaining({ detail: expect.stringContaining(join(home, '.local', 'bin')) }),
  )
})

test('a command of another program is left alone, and an old one of this program is replaced', async () => {
  const mac = facts('darwin', '/Applications/Open Compute')
  const file = commandFile(mac)!
  await writeCommand(file)
  await writeCommand({ ...file, text: file.text.replaceAll('Applications', 'Elsewhere') })
  expect(readFileSync(file.path, 'utf8')).toContain('/Elsewhere/')
  writeFileSync(file.path, '#!/bin/sh\n')
  dialog.showMessageBox.mockResolvedValue({ response: 0 })
  await offerCommand(file, { facts: mac, log: createRecordingLog() })
  expect(readFileSync(file.path, 'utf8')).toBe('#!/bin/sh\n')
  expect(dialog.showErrorBox).toHaveBeenCalledExactlyOnceWith(
    'The command could not be installed',
    `${file.path} is there already and is another program’s.`,
  )
})
