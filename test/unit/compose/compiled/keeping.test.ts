import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keepCompiled } from '../../../../src-main/compose/compiled/keeping.js'
import { COMPILED } from '../../../../src-main/compose/compiled/whole-program.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a minute after the start it is kept with what requests needed, and when it stops no more', () => {
  const keep = vi.fn()
  let hasServed = false
  const keeping = keepCompiled({ keep, hasServed: () => hasServed })
  keeping.now()
  expect(keep.mock.calls).toEqual([[COMPILED.start]])
  hasServed = true
  vi.advanceTimersByTime(59_999)
  expect(keep).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(1)
  expect(keep.mock.calls).toEqual([[COMPILED.start], [COMPILED.requests]])
  keeping.stop()
  expect(keep).toHaveBeenCalledTimes(2)
})

test('a node that stops earlier keeps it then', () => {
  const keep = vi.fn()
  const keeping = keepCompiled({ keep, hasServed: () => true })
  keeping.stop()
  expect(keep.mock.calls).toEqual([[COMPILED.requests]])
  vi.advanceTimersByTime(60_000)
  expect(keep).toHaveBeenCalledTimes(1)
})
