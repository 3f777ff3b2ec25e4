import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createAutostart, wasOpenedAtLogin } from '../../../src-main/electron/autostart.js'

let configHome: string
beforeEach(() => (configHome = mkdtempSync(join(tmpdir(), 'ocf-autostart-'))))
afterEach(() => rmSync(configHome, { recursive: true, force: true }))

const never = { getLoginItemSettings: vi.fn(), setLoginItemSettings: vi.fn() }
const onLinux = (command: string[]) =>
  createAutostart({ loginItems: never }, { platform: 'linux', command, configHome })!
const entry = () => join(configHome, 'autostart', 'ocf-desktop.desktop')

test('on Linux it is one file, there only while it is wished', () => {
  const autostart = onLinux(['/opt/Open Compute/ocf-desktop'])
  expect(autostart.isOn()).toBe(false)
  expect(existsSync(entry())).toBe(false)
  autostart.set(true)
  expect(autostart.isOn()).toBe(true)
  expect(readFileSync(entry(), 'utf8')).toContain('\nExec="/opt/Open Compute/ocf-desktop" --background\n')
  autostart.set(false)
  autostart.set(false)
  expect(existsSync(entry())).toBe(false)
})

test('a path is quoted as the specification wants it', () => {
  onLinux(['/a b/100%/$x"y']).set(true)
  expect(readFileSync(entry(), 'utf8')).toContain('Exec="/a b/100%%/\\\\$x\\\\"y" --background')
})

test('what the person switched off in the system’s settings is off, and stays off', () => {
  const autostart = onLinux(['/ocf'])
  autostart.set(true)
  const switchedOff = readFileSync(entry(), 'utf8').replace('enabled=true', 'enabled=false')
  writeFileSync(entry(), switchedOff)
  expect(autostart.isOn()).toBe(false)
  autostart.refresh()
  expect(readFileSync(entry(), 'utf8')).toBe(switchedOff)
})

test('an AppImage that was moved is started from its new place, and none is set up without a wish', () => {
  onLinux(['/new/ocf.AppImage']).refresh()
  expect(existsSync(entry())).toBe(false)
  onLinux(['/old/ocf.AppImage']).set(true)
  onLinux(['/new/ocf.AppImage']).refresh()
  expect(readFileSync(entry(), 'utf8')).toContain('Exec=/new/ocf.AppImage --background')
})

test.each(['darwin', 'win32'] as const)('on %s the system’s login items are used', (platform) => {
  let openAtLogin = false
  const loginItems = {
    getLoginItemSettings: () => ({ openAtLogin, wasOpenedAtLogin: false }),
    setLoginItemSettings: vi.fn((settings: { openAtLogin: boolean }) => void (openAtLogin = settings.openAtLogin)),
  }
  const autostart = createAutostart({ loginItems }, { platform, command: ['ocf'], configHome })!
  autostart.set(true)
  expect(autostart.isOn()).toBe(true)
  expect(loginItems.setLoginItemSettings).toHaveBeenCalledWith({
    openAtLogin: true,
    enabled: true,
    args: ['--background'],
  })
  expect(existsSync(entry())).toBe(false)
})

test('an entry that Task Manager has switched off is off, and other entries of the program do not count', () => {
  const items = (launchItems: { args: string[]; enabled: boolean }[]) => ({
    getLoginItemSettings: () => ({ openAtLogin: true, wasOpenedAtLogin: false, launchItems }),
    setLoginItemSettings: vi.fn(),
  })
  const isOn = (launchItems: Parameters<typeof items>[0]): boolean | undefined =>
    createAutostart({ loginItems: items(launchItems) }, { platform: 'win32', command: ['ocf'], configHome })?.isOn()
  expect(isOn([{ args: ['--background'], enabled: false }])).toBe(false)
  expect(isOn([{ args: ['--background'], enabled: true }])).toBe(true)
  expect(
    isOn([
      { args: [], enabled: false },
      { args: ['--background'], enabled: true },
    ]),
  ).toBe(true)
})

test('only macOS says that it started the app at login', () => {
  const items = { ...never, getLoginItemSettings: () => ({ openAtLogin: true, wasOpenedAtLogin: true }) }
  expect(wasOpenedAtLogin(items, 'darwin')).toBe(true)
  expect(wasOpenedAtLogin(items, 'win32')).toBe(false)
  // Linux has no such call.
  expect(wasOpenedAtLogin(never, 'linux')).toBe(false)
  expect(never.getLoginItemSettings).not.toHaveBeenCalled()
})
