import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogRing } from '../../../src-main/logging/ring.js'

const line = (message: string) => ({ atMs: 0, level: 'info' as const, component: 'x', message, fields: '' })

describe('the ring', () => {
  it('keeps the last lines in order, numbered without gaps, and never more than its capacity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 60 }), (capacity, count) => {
        const ring = createLogRing({ capacity })
        for (let i = 0; i < count; i++) ring.push(line(String(i)))
        const kept = ring.lines().map(({ seq, message }) => [seq, message])
        const first = Math.max(0, count - capacity)
        expect(kept).toEqual(Array.from({ length: count - first }, (_, i) => [first + i, String(first + i)]))
      }),
    )
  })

  it('tells followers until they leave', () => {
    const ring = createLogRing({ capacity: 3 })
    const seen: string[] = []
    const stop = ring.subscribe(({ message }) => seen.push(message))
    ring.push(line('a'))
    stop()
    ring.push(line('b'))
    expect(seen).toEqual(['a'])
  })

  it('does not loop when a follower logs', () => {
    const ring = createLogRing({ capacity: 10 })
    ring.subscribe(() => ring.push(line('from the follower')))
    ring.push(line('a'))
    expect(ring.lines()).toHaveLength(2)
  })

  it('drops a follower that throws and says so', () => {
    const ring = createLogRing({ capacity: 10 })
    let calls = 0
    ring.subscribe(() => {
      calls += 1
      throw new Error('broken page')
    })
    ring.push(line('a'))
    ring.push(line('b'))
    expect(calls).toBe(1)
    expect(ring.lines().map(({ message }) => message)).toEqual([
      'a',
      'a follower of the log failed and was dropped',
      'b',
    ])
  })
})
