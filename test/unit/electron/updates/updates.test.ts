import { expect, test, vi } from 'vitest'
import { createNoUpdates, createUpdates, type Updater } from '../../../../src-main/electron/updates/updates.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

function setUp(parts: Partial<Updater> = {}) {
  const updater = {
    check: vi.fn(() => Promise.resolve<{ version: string } | undefined>({ version: '0.2.0' })),
    download: vi.fn((_onPercent: (percent: number) => void) => Promise.resolve()),
    install: vi.fn(() => new Promise<never>(() => undefined)),
    ...parts,
  }
  const restart = vi.fn()
  const clock = { now: () => 1000 }
  return { updater, restart, updates: createUpdates({ updater, clock, log: createRecordingLog(), restart }) }
}

test('nothing is looked for, downloaded or installed before each was asked for', async () => {
  const { updater, updates, restart } = setUp()
  expect(updates.state).toEqual({ kind: 'none', checkedAtMs: null })
  await updates.download()
  updates.install()
  expect(updater.check).not.toHaveBeenCalled()
  expect(updater.download).not.toHaveBeenCalled()
  expect(await updates.check()).toEqual({ kind: 'available', version: '0.2.0' })
  updates.install()
  expect(restart).not.toHaveBeenCalled()
  expect(await updates.download()).toEqual({ kind: 'ready', version: '0.2.0' })
  updates.install()
  expect(restart).toHaveBeenCalledOnce()
})

test('without a newer version it is known when that was found out', async () => {
  const { updates } = setUp({ check: () => Promise.resolve(undefined) })
  expect(await updates.check()).toEqual({ kind: 'none', checkedAtMs: 1000 })
})

test('two at a time are one, and what is ready is not looked for again', async () => {
  const { updater, updates } = setUp()
  await Promise.all([updates.check(), updates.check()])
  expect(updater.check).toHaveBeenCalledOnce()
  await updates.download()
  expect(await updates.check()).toEqual({ kind: 'ready', version: '0.2.0' })
  expect(updater.check).toHaveBeenCalledOnce()
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

test('each step is told to whoever follows, and progress only when a whole per cent has passed', async () => {
  let late: (percent: number) => void = () => undefined
  const { updates } = setUp({
    download(onPercent) {
      late = onPercent
      for (const percent of [0.2, 41.9, 41.95, 100.4]) onPercent(percent)
      return Promise.resolve()
    },
  })
  const seen: unknown[] = []
  const stop = updates.subscribe(() => seen.push({ ...updates.state }))
  await updates.check()
  await updates.download()
  late(12)
  expect(seen.map((state) => Object.values(state as object).join(' '))).toEqual([
    'checking',
    'available 0.2.0',
    'downloading 0.2.0 0',
    'downloading 0.2.0 41',
    'downloading 0.2.0 100',
    'ready 0.2.0',
  ])
  stop()
  await updates.check()
  expect(seen.length).toBe(6)
})

test('a program that can’t update itself says why, whatever is asked', async () => {
  const updates = createNoUpdates('It is a test.')
  expect(await updates.check()).toEqual({ kind: 'unsupported', sentence: 'It is a test.' })
  expect(await updates.download()).toEqual(updates.state)
})
