import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { UpdateState } from '#shared/contract/update.js'
import { createUpdateRounds, ROUND_MS } from '../../../../src-main/electron/updates/update-rounds.js'

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
  const wish = { isThere: true }
  return { updates, wish, rounds: createUpdateRounds({ updates, isWanted: () => wish.isThere }) }
}

test('without the wish nothing is looked for', async () => {
  const { updates, wish, rounds } = setUp()
  wish.isThere = false
  rounds.review()
  await vi.advanceTimersByTimeAsync(3 * ROUND_MS)
  expect(updates.check).not.toHaveBeenCalled()
})

test('with it, at once and once a day; what is found is downloaded and never installed', async () => {
  const { updates, wish, rounds } = setUp()
  rounds.review()
  rounds.review()
  await vi.advanceTimersByTimeAsync(0)
  expect(updates.check).toHaveBeenCalledOnce()
  expect(updates.download).toHaveBeenCalledOnce()
  await vi.advanceTimersByTimeAsync(2 * ROUND_MS)
  expect(updates.check).toHaveBeenCalledTimes(3)
  wish.isThere = false
  rounds.review()
  await vi.advanceTimersByTimeAsync(2 * ROUND_MS)
  expect(updates.check).toHaveBeenCalledTimes(3)
  expect(updates.install).not.toHaveBeenCalled()
})

test('a wish that goes while the answer is on its way stops the download', async () => {
  const { updates, wish, rounds } = setUp()
  rounds.review()
  wish.isThere = false
  await vi.advanceTimersByTimeAsync(0)
  expect(updates.download).not.toHaveBeenCalled()
  rounds.stop()
})

test('a program that can’t update itself looks for nothing', async () => {
  const { updates, rounds } = setUp()
  updates.state = { kind: 'unsupported', sentence: 'It is a test.' }
  rounds.review()
  await vi.advanceTimersByTimeAsync(ROUND_MS)
  expect(updates.check).not.toHaveBeenCalled()
})
