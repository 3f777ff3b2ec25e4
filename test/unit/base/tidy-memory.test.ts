import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { tidyMemoryAfterStart } from '../../../src-main/base/tidy-memory.js'

afterEach(() => vi.useRealTimers())

/** Resolves once the object, which nobody else knows of, was collected. */
function collected(): Promise<true> {
  return new Promise((resolve) => {
    const registry = new FinalizationRegistry(() => resolve(true))
    registry.register({ garbage: true }, undefined)
    // The registry must outlive the object.
    void sleep(60_000, registry, { ref: false })
  })
}

test('the garbage of starting is collected without anybody asking for it', async () => {
  const gone = collected()
  tidyMemoryAfterStart(1)
  await expect(gone).resolves.toBe(true)
})

test('a node that stops before takes its collection along', () => {
  vi.useFakeTimers()
  const callOff = tidyMemoryAfterStart()
  expect(vi.getTimerCount()).toBe(1)
  callOff()
  expect(vi.getTimerCount()).toBe(0)
})
