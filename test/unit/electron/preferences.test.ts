import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createAppPreferences, openPreferences } from '../../../src-main/electron/preferences.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ocf-preferences-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const open = (log = createRecordingLog()) => openPreferences({ log }, { file: join(dir, 'window', 'app.json') })

test('nothing is written before something is changed, and what is changed is there after a restart', () => {
  const preferences = open()
  expect(preferences.now).toMatchObject({ notifications: true, autostart: false, closeToTrayTold: false })
  expect(readdirSync(dir)).toEqual([])
  preferences.change({ notifications: false })
  expect(open().now).toMatchObject({ notifications: false, autostart: false })
  expect(readdirSync(join(dir, 'window'))).toEqual(['app.json'])
})

test.each(['{', '[]', '{"notifications": "yes"}', ''])('a damaged file (%j) is put aside and said so', (text) => {
  open().change({ autostart: true })
  writeFileSync(join(dir, 'window', 'app.json'), text)
  const log = createRecordingLog()
  expect(open(log).now).toMatchObject({ notifications: true, autostart: false })
  expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
  expect(readFileSync(join(dir, 'window', 'app.json.damaged'), 'utf8')).toBe(text)
})

test('autostart is what the system says, and who has chosen what closing does is not asked any more', () => {
  const preferences = open()
  const autostart = { isOn: () => true, set: vi.fn(), refresh: vi.fn() }
  const app = createAppPreferences({ preferences, autostart, updatesWanted: vi.fn() })
  expect(app.read()).toEqual({ autostart: true, closeToTray: true, notifications: true, updates: false })
  app.set('autostart', false)
  expect(autostart.set).toHaveBeenCalledWith(false)
  app.set('closeToTray', false)
  expect(preferences.now).toMatchObject({ closeToTray: false, closeToTrayTold: true })
})

test('autostart that the system refuses is not kept as a wish', () => {
  const preferences = open()
  const set = (): never => {
    throw new Error('read-only')
  }
  const app = createAppPreferences({
    preferences,
    autostart: { isOn: () => false, set, refresh: vi.fn() },
    updatesWanted: vi.fn(),
  })
  expect(() => app.set('autostart', true)).toThrow('read-only')
  expect(preferences.now.autostart).toBe(false)
})

test('autostart that can’t be kept as a wish is not set up', () => {
  const preferences = open()
  mkdirSync(join(dir, 'window', 'app.json.new'), { recursive: true })
  const autostart = { isOn: () => false, set: vi.fn(), refresh: vi.fn() }
  const app = createAppPreferences({ preferences, autostart, updatesWanted: vi.fn() })
  expect(() => app.set('autostart', true)).toThrow('EISDIR')
  expect(autostart.set).not.toHaveBeenCalled()
})
