import { expect, test, vi } from 'vitest'
import { whatClosingDoes } from '../../../../src-main/electron/window/closing.js'

vi.mock('electron', () => ({ dialog: {} }))

const linux = { platform: 'linux', hasTray: true, closeToTray: true, closeToTrayTold: true } as const

test('closing keeps the node only where there is a tray and the person was told', () => {
  expect(whatClosingDoes(linux)).toBe('keep')
  expect(whatClosingDoes({ ...linux, closeToTrayTold: false })).toBe('ask')
  expect(whatClosingDoes({ ...linux, closeToTray: false })).toBe('quit')
})

test('without a tray closing quits, whatever was wished: nothing may run that can’t be seen', () => {
  expect(whatClosingDoes({ ...linux, hasTray: false })).toBe('quit')
  expect(whatClosingDoes({ ...linux, hasTray: false, closeToTrayTold: false })).toBe('quit')
})

test('on macOS the app stays in the Dock, as apps do there', () => {
  expect(whatClosingDoes({ ...linux, platform: 'darwin', hasTray: false })).toBe('keep')
})
