import { EventEmitter } from 'node:events'
import { beforeEach, expect, test, vi } from 'vitest'
import { createRecordingLog } from '../../fixtures/recording-log.js'

const electron = vi.hoisted(() => ({ shown: [] as unknown[], isSupported: true, handleActivation: vi.fn() }))
vi.mock('electron', () => ({
  Notification: class extends EventEmitter {
    static isSupported = (): boolean => electron.isSupported
    static handleActivation = electron.handleActivation
    show = (): void => void electron.shown.push(this)
  },
}))
const { Notifications } = await import('../../../src-main/electron/notifications.js')

const NOTICE = { title: 'Sharing is paused', body: 'It is late.', page: 'share' } as const
beforeEach(() => {
  electron.shown.length = 0
  electron.isSupported = true
  electron.handleActivation.mockClear()
})

function notifications(platform: NodeJS.Platform) {
  const open = vi.fn()
  const log = createRecordingLog()
  return { open, log, notifications: new Notifications({ open, log }, platform) }
}
const shown = (): EventEmitter => electron.shown[0] as EventEmitter

test('a click on a notification opens its page, and one that was closed opens none', () => {
  const { open, notifications: all } = notifications('linux')
  all.show(NOTICE)
  shown().emit('close')
  expect(open).not.toHaveBeenCalled()
  shown().emit('click')
  expect(open).toHaveBeenCalledExactlyOnceWith('share')
})

test('a click on a notification of an earlier run opens the window on Windows, which keeps them', () => {
  const { open } = notifications('win32')
  const [activated] = electron.handleActivation.mock.calls[0] as [() => void]
  activated()
  expect(open).toHaveBeenCalledExactlyOnceWith()
  notifications('linux')
  expect(electron.handleActivation).toHaveBeenCalledOnce()
})

test('nothing is shown where the system shows no notifications', () => {
  electron.isSupported = false
  const { notifications: all } = notifications('linux')
  all.show(NOTICE)
  expect([all.isSupported, electron.shown]).toEqual([false, []])
})
