import { expect, test, vi } from 'vitest'
import { hasTrayHost } from '../../../../src-main/electron/tray/tray-host.js'

/** A system with these programs and their answers; it has no others. */
const having = (answers: Record<string, boolean>) => vi.fn((program: string) => Promise.resolve(answers[program]))

test('a desktop without dbus-send is asked for its tray by what it has', async () => {
  expect(await hasTrayHost('linux', having({ busctl: true }))).toBe(true)
  expect(await hasTrayHost('linux', having({ gdbus: true }))).toBe(true)
  expect(await hasTrayHost('linux', having({}))).toBe(false)
})

test('the first program that answers about the tray counts, also when it says no', async () => {
  const ask = having({ 'dbus-send': false, busctl: true })
  expect(await hasTrayHost('linux', ask)).toBe(false)
  expect(ask).toHaveBeenCalledOnce()
})

test('Windows and macOS have a place for the icon without being asked', async () => {
  const ask = having({})
  expect(await hasTrayHost('win32', ask)).toBe(true)
  expect(await hasTrayHost('darwin', ask)).toBe(true)
  expect(ask).not.toHaveBeenCalled()
})
