import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keepCompiled } from '../../../../src-main/compose/compiled/keeping.js'
import { COMPILED } from '../../../../src-main/compose/compiled/whole-program.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('it is kept after a start, a minute later with what requests needed, and when it stops no more', () => {
  const keep = vi.fn()
  let hasServed = false
  const stop = keepCompiled({ keep, running: () => 0, hasServed: () => hasServed })
  vi.advanceTimersByTime(30_000)
  expect(keep.mock.calls).toEqual([[COMPILED.start]])
  hasServed = true
  vi.advanceTimersByTime(29_999)
  expect(keep).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(1)
  expect(keep.mock.calls).toEqual([[COMPILED.start], [COMPILED.requests]])
  stop()
  expect(keep).toHaveBeenCalledTimes(2)
  expect(vi.getTimerCount()).toBe(0)
})

test('no request has to wait for it', () => {
  const keep = vi.fn()
  let running = 1
  keepCompiled({ keep, running: () => running, hasServed: () => false })
  vi.advanceTimersByTime(25_000)
  expect(keep).not.toHaveBeenCalled()
  running = 0
  vi.advanceTimersByTime(10_000)
  expect(keep.mock.calls).toEqual([[COMPILED.start]])
})

test('a node that stops earlier keeps it then', () => {
  const keep = vi.fn()
  const stop = keepCompiled({ keep, running: () => 0, hasServed: () => true })
  stop()
  expect(keep.mock.calls).toEqual([[COMPILED.requests]])
  vi.advanceTimersByTime(60_000)
  expect(keep).toHaveBeenCalledTimes(1)
})
