import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { watchForStall } from '../../../src-main/base/stall-watch.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  // Lengths whose watches are all gone are forgotten with their next look.
  vi.runOnlyPendingTimers()
  vi.useRealTimers()
})

/** When it fires, ms from now; undefined where it does not within `limitMs`. */
function firesAfter(startAtMs: number, stallMs: number, limitMs: number): number | undefined {
  vi.advanceTimersByTime(startAtMs)
  let firedAt: number | undefined
  const from = Date.now()
  const watch = watchForStall(() => {
    expect(firedAt).toBeUndefined()
    firedAt = Date.now() - from
  }, stallMs)
  vi.advanceTimersByTime(limitMs)
  watch.stop()
  return firedAt
}

describe('a watch', () => {
  test.each([1, 7, 10, 19, 50, 55, 100, 999, 1_000, 1_005, 300_000])(
    'fires once, not before %i ms and at most a tenth and 10 ms later, whenever it begins',
    (stallMs) => {
      // Another one under way sets the beat.
      const other = watchForStall(() => undefined, stallMs)
      const keep = setInterval(() => (other.moved = true), Math.max(1, stallMs / 20))
      for (const share of [0, 0.13, 0.55, 0.99]) {
        const after = firesAfter(stallMs * share, stallMs, stallMs * 3 + 100)
        expect(after).toBeGreaterThanOrEqual(stallMs)
        expect(after).toBeLessThanOrEqual(stallMs * 1.1 + 10)
      }
      clearInterval(keep)
      other.stop()
    },
  )

  test('of a day fires after a day', () => {
    const day = 24 * 60 * 60 * 1000
    expect(firesAfter(0, day, day - 1)).toBeUndefined()
    const after = firesAfter(0, day, day * 1.2)
    expect(after).toBeGreaterThanOrEqual(day)
    expect(after).toBeLessThanOrEqual(day * 1.1)
  })

  test('counts from the last time something moved', () => {
    let fired = 0
    const watch = watchForStall(() => (fired += 1), 1_000)
    for (let count = 0; count < 20; count += 1) {
      vi.advanceTimersByTime(990)
      watch.moved = true
    }
    vi.advanceTimersByTime(999)
    expect(fired).toBe(0)
    vi.advanceTimersByTime(200)
    expect(fired).toBe(1)
    vi.advanceTimersByTime(100_000)
    expect(fired).toBe(1)
  })

  test('that was stopped does not fire, and no timer stays', () => {
    let fired = 0
    const watch = watchForStall(() => (fired += 1), 1_000)
    vi.advanceTimersByTime(900)
    watch.stop()
    watch.stop()
    vi.advanceTimersByTime(10_000)
    expect([fired, vi.getTimerCount()]).toEqual([0, 0])
  })

  test('that is stopped by another one’s end in the same round does not fire', () => {
    const fired: string[] = []
    const first = watchForStall(() => {
      fired.push('first')
      second.stop()
    }, 1_000)
    const second = watchForStall(() => {
      fired.push('second')
      first.stop()
    }, 1_000)
    vi.advanceTimersByTime(10_000)
    expect(fired).toEqual(['first'])
  })

  test('that begins when another one fires has its own time', () => {
    let second = 0
    const from = Date.now()
    watchForStall(() => {
      watchForStall(() => (second = Date.now() - from), 1_000)
    }, 1_000)
    vi.advanceTimersByTime(10_000)
    expect(second).toBeGreaterThanOrEqual(2_000)
    expect(second).toBeLessThanOrEqual(2_200)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('shares its timer with all of the same length', () => {
    const watches = Array.from({ length: 1_000 }, () => watchForStall(() => undefined, 1_000))
    expect(vi.getTimerCount()).toBe(1)
    for (const watch of watches) watch.stop()
    vi.advanceTimersByTime(1_000)
    expect(vi.getTimerCount()).toBe(0)
  })
})
