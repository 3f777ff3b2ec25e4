import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { MAX_RESTARTS, nextRestart, reloadAfterCrash } from '../../../../src-main/electron/window/crash-recovery.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

function window() {
  const contents = Object.assign(new EventEmitter(), { reload: vi.fn() })
  const gaveUp = vi.fn()
  let nowMs = 0
  reloadAfterCrash(contents, { monotonic: { elapsedMs: () => nowMs }, log: createRecordingLog(), gaveUp })
  const crash = (afterMs: number, reason = 'crashed'): void => {
    nowMs += afterMs
    contents.emit('render-process-gone', {}, { reason })
  }
  return { contents, gaveUp, crash }
}

test('a page that crashes twice within five minutes is reloaded once and then given up', () => {
  const { contents, gaveUp, crash } = window()
  crash(1000, 'oom')
  expect(contents.reload).toHaveBeenCalledOnce()
  expect(gaveUp).not.toHaveBeenCalled()
  crash(1000)
  expect(contents.reload).toHaveBeenCalledOnce()
  expect(gaveUp).toHaveBeenCalledOnce()
})

test('crashes that are far apart are each answered', () => {
  const { contents, gaveUp, crash } = window()
  for (let time = 0; time < 10; time += 1) crash(400_000)
  expect(contents.reload).toHaveBeenCalledTimes(10)
  expect(gaveUp).not.toHaveBeenCalled()
})

test('a page that ended as it should is left alone', () => {
  const { contents, crash } = window()
  crash(0, 'clean-exit')
  expect(contents.reload).not.toHaveBeenCalled()
})

test('the app restarts itself a few times in a row; after a good run the count begins anew', () => {
  const at = (nowMs: number) => ({ monotonic: { elapsedMs: () => nowMs } })
  expect(nextRestart(at(1000), { restarts: 0, startedAtMs: 0 })).toBe(1)
  expect(nextRestart(at(1000), { restarts: MAX_RESTARTS, startedAtMs: 0 })).toBeUndefined()
  expect(nextRestart(at(3_600_000), { restarts: MAX_RESTARTS, startedAtMs: 0 })).toBe(1)
})
