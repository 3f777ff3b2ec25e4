import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { keepShape as keepShapeType } from '../../../../src-main/base/memory/kept-shapes.js'
import { collectGarbage } from '../../../fixtures/heap.js'

let keepShape: typeof keepShapeType

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  vi.resetModules()
  ;({ keepShape } = await import('../../../../src-main/base/memory/kept-shapes.js'))
})
afterEach(() => void vi.useRealTimers())

/** Made here, so that no variable of a test holds the object. */
function keepOne(bytes = 100): WeakRef<object> {
  const object = { of: 'a request' }
  keepShape('attempt', object, bytes)
  return new WeakRef(object)
}

/** A weak reference holds its object until the turn ends. */
async function isThere(object: WeakRef<object>): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  return object.deref() !== undefined
}

test('an object of the last request is kept until the next request is over', async () => {
  const [first, second] = [keepOne(), keepOne()]
  expect(await isThere(first)).toBe(false)
  expect(await isThere(second)).toBe(true)
})

test('it is kept for two minutes at most', async () => {
  const object = keepOne()
  vi.advanceTimersByTime(50_000)
  expect(await isThere(object)).toBe(true)
  vi.advanceTimersByTime(70_000)
  expect(await isThere(object)).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is kept of a request with a large body', async () => {
  expect(await isThere(keepOne(1024 * 1024))).toBe(false)
})
