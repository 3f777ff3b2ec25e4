import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { UpdateState } from '#shared/contract/node/update.js'
import { UnsignedUpdate } from '../../../../src-main/electron/updates/signed-update.js'
import {
  createNoUpdates,
  createUpdateRounds,
  createUpdates,
  ROUND_MS,
  UPDATE_KEY_FILE,
  whyNoUpdates,
  type Updater,
} from '../../../../src-main/electron/updates/updates.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

describe('updates', () => {
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

  test('no version is checked for, downloaded or installed before the person asks for that step', async () => {
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

  test('a check without a newer version keeps the time of the check', async () => {
    const { updates } = setUp({ check: () => Promise.resolve(undefined) })
    expect(await updates.check()).toEqual({ kind: 'none', checkedAtMs: 1000 })
  })

  test('two checks at a time are one, and a version that is ready is not checked for again', async () => {
    const { updater, updates } = setUp()
    await Promise.all([updates.check(), updates.check()])
    expect(updater.check).toHaveBeenCalledOnce()
    await updates.download()
    expect(await updates.check()).toEqual({ kind: 'ready', version: '0.2.0' })
    expect(updater.check).toHaveBeenCalledOnce()
  })

  test('a failed check is explained in words and may be repeated', async () => {
    const check = vi.fn(() => Promise.resolve<{ version: string } | undefined>({ version: '0.2.0' }))
    check.mockRejectedValueOnce(new Error('ENOTFOUND'))
    const { updates } = setUp({ check })
    expect(await updates.check()).toEqual({
      kind: 'failed',
      sentence: 'Could not check for a newer version. Check the connection and try again.',
    })
    expect(await updates.check()).toMatchObject({ kind: 'available' })
  })

  test('a version that its publisher has not signed is explained as such and forgets the one that was found before', async () => {
    const check = vi.fn(() => Promise.resolve<{ version: string } | undefined>({ version: '0.2.0' }))
    const { updater, updates } = setUp({ check })
    await updates.check()
    check.mockRejectedValueOnce(new UnsignedUpdate('no'))
    expect(await updates.check()).toEqual({
      kind: 'failed',
      sentence: 'A newer version is offered, but its publisher has not signed it. It is not installed.',
    })
    await updates.download()
    expect(updater.download).not.toHaveBeenCalled()
  })

  test('followers see each step, and progress only when a whole per cent has passed', async () => {
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

  test('a program that can’t update itself gives its reason to every call', async () => {
    const updates = createNoUpdates('It is a test.')
    expect(await updates.check()).toEqual({ kind: 'unsupported', sentence: 'It is a test.' })
    expect(await updates.download()).toEqual(updates.state)
  })
})

describe('daily checks', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function setUp(found: UpdateState = { kind: 'available', version: '0.2.0' }) {
    const updates = {
      state: { kind: 'none', checkedAtMs: null } as UpdateState,
      check: vi.fn(() => Promise.resolve(found)),
      download: vi.fn(() => Promise.resolve(found)),
      install: vi.fn(),
      subscribe: () => () => undefined,
    }
    const daily = { on: true }
    return { updates, daily, rounds: createUpdateRounds({ updates, isWanted: () => daily.on }) }
  }

  test('no version is checked for while daily checks are off', async () => {
    const { updates, daily, rounds } = setUp()
    daily.on = false
    rounds.review()
    await vi.advanceTimersByTimeAsync(3 * ROUND_MS)
    expect(updates.check).not.toHaveBeenCalled()
  })

  test('daily checks run at once and once a day; a newer version is downloaded and never installed', async () => {
    const { updates, daily, rounds } = setUp()
    rounds.review()
    rounds.review()
    await vi.advanceTimersByTimeAsync(0)
    expect(updates.check).toHaveBeenCalledOnce()
    expect(updates.download).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(2 * ROUND_MS)
    expect(updates.check).toHaveBeenCalledTimes(3)
    daily.on = false
    rounds.review()
    await vi.advanceTimersByTimeAsync(2 * ROUND_MS)
    expect(updates.check).toHaveBeenCalledTimes(3)
    expect(updates.install).not.toHaveBeenCalled()
  })

  test('switching daily checks off during a check stops the download', async () => {
    const { updates, daily, rounds } = setUp()
    rounds.review()
    daily.on = false
    await vi.advanceTimersByTimeAsync(0)
    expect(updates.download).not.toHaveBeenCalled()
    rounds.stop()
  })

  test('a program that can’t update itself never checks', async () => {
    const { updates, rounds } = setUp()
    updates.state = { kind: 'unsupported', sentence: 'It is a test.' }
    rounds.review()
    await vi.advanceTimersByTimeAsync(ROUND_MS)
    expect(updates.check).not.toHaveBeenCalled()
  })
})

describe('whether a program can update itself', () => {
  let dir: string
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ocf-resources-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const why = (given: Partial<Parameters<typeof whyNoUpdates>[0]>) =>
    whyNoUpdates({ isPackaged: true, platform: 'linux', resourcesDir: dir, appImage: undefined, ...given })
  const describeFeed = (): void => writeFileSync(join(dir, 'app-update.yml'), 'provider: github\n')
  const bringKey = (): void => writeFileSync(join(dir, UPDATE_KEY_FILE), 'a key')

  test('a program run from its source has no updates', () => {
    expect(why({ isPackaged: false })).toContain('source code')
  })

  test.each(['deb', 'rpm'])('a %s package does not update itself, even where it names a feed', (kind) => {
    describeFeed()
    writeFileSync(join(dir, 'package-type'), `${kind}\n`)
    expect(why({})).toContain(`a ${kind} package`)
  })

  test('an unpacked archive does not update itself', () => {
    describeFeed()
    expect(why({})).toContain('archive')
  })

  test('an AppImage, macOS and Windows update themselves where the package names a feed and has a key', () => {
    const kinds = [{ appImage: '/home/a/x.AppImage' }, { platform: 'darwin' }, { platform: 'win32' }] as const
    for (const kind of kinds) expect(why(kind)).toContain('does not say where')
    describeFeed()
    for (const kind of kinds) expect(why(kind)).toContain('no key to check newer versions with')
    bringKey()
    for (const kind of kinds) expect(why(kind)).toBeUndefined()
  })
})
