import { expect, test, vi } from 'vitest'
import { createUpdates, type UpdateSource } from '../../../src-main/electron/updates.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

function setUp(source: Partial<UpdateSource> = {}) {
  const whole = {
    check: vi.fn(() => Promise.resolve<{ version: string } | undefined>({ version: '0.2.0' })),
    download: vi.fn(() => Promise.resolve()),
    install: vi.fn(),
    ...source,
  }
  const onReady = vi.fn()
  return { source: whole, onReady, updates: createUpdates({ source: whole, log: createRecordingLog(), onReady }) }
}

test('nothing is looked for, downloaded or installed before each was asked for', async () => {
  const { source, updates, onReady } = setUp()
  expect(source.check).not.toHaveBeenCalled()
  await updates.download()
  updates.install()
  expect(source.download).not.toHaveBeenCalled()
  expect(await updates.check()).toEqual({ kind: 'available', version: '0.2.0' })
  updates.install()
  expect(source.install).not.toHaveBeenCalled()
  expect(await updates.download()).toEqual({ kind: 'ready', version: '0.2.0' })
  expect(onReady).toHaveBeenCalledExactlyOnceWith({ version: '0.2.0' })
  updates.install()
  expect(source.install).toHaveBeenCalledOnce()
})

test('without a newer version there is nothing to do', async () => {
  const { updates } = setUp({ check: () => Promise.resolve(undefined) })
  expect(await updates.check()).toEqual({ kind: 'none' })
})

test('two at a time are one, and what is ready is not looked for again', async () => {
  const { source, updates } = setUp()
  await Promise.all([updates.check(), updates.check()])
  expect(source.check).toHaveBeenCalledOnce()
  await updates.download()
  expect(await updates.check()).toEqual({ kind: 'ready', version: '0.2.0' })
  expect(source.check).toHaveBeenCalledOnce()
})

test('a failure is told in words and may be tried again', async () => {
  const check = vi.fn(() => Promise.resolve<{ version: string } | undefined>({ version: '0.2.0' }))
  check.mockRejectedValueOnce(new Error('ENOTFOUND'))
  const { updates } = setUp({ check })
  expect(await updates.check()).toEqual({
    kind: 'failed',
    sentence: 'Could not look for a newer version. Check the connection and try again.',
  })
  expect(await updates.check()).toMatchObject({ kind: 'available' })
})
