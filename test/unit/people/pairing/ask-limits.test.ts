import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { AskLimits } from '../../../../src-main/people/pairing/ask-limits.js'

let nowMs: number
let limits: AskLimits
beforeEach(() => {
  nowMs = 0
  limits = new AskLimits({ elapsedMs: () => nowMs })
})

const MINUTE_MS = 60_000

describe('requests to pair', () => {
  test('one source may ask five times a minute, whatever its peer ids', () => {
    const asked = Array.from({ length: 9 }, (_, index) => limits.take(`peer-${index}`, '192.168.7.2'))
    expect(asked.filter(Boolean)).toHaveLength(5)
    expect(limits.take('another', '192.168.7.3')).toBe(true)
    nowMs += 12_000
    expect(limits.take('peer-9', '192.168.7.2')).toBe(true)
    expect(limits.take('peer-10', '192.168.7.2')).toBe(false)
  })

  test('a peer that was refused twice is quiet for ten minutes, and so is whatever else comes from there', () => {
    limits.refused('eve', '192.168.7.9')
    expect(limits.take('eve', '192.168.7.9')).toBe(true)
    limits.refused('eve', '192.168.7.9')
    nowMs += 10 * MINUTE_MS - 1
    expect(limits.take('eve', '192.168.7.9')).toBe(false)
    expect(limits.take('eve', '192.168.7.10')).toBe(false)
    expect(limits.take('new-id', '192.168.7.9')).toBe(false)
    expect(limits.take('bob', '192.168.7.3')).toBe(true)
    nowMs += 1
    expect(limits.take('eve', '192.168.7.9')).toBe(true)
  })

  test('a peer that the person asks or paired with may ask again at once', () => {
    limits.refused('bob', '192.168.7.3')
    limits.refused('bob', '192.168.7.3')
    expect(limits.take('bob', '192.168.7.3')).toBe(false)
    limits.forgive('bob', '192.168.7.3')
    expect(limits.take('bob', '192.168.7.3')).toBe(true)
  })

  test('however many addresses and peer ids ask, the person is asked ten times in ten minutes at most at once, and one time a minute after that', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30_000), { minLength: 50, maxLength: 200 }), (pauses) => {
        nowMs = 0
        limits = new AskLimits({ elapsedMs: () => nowMs })
        let asked = 0
        pauses.forEach((pause, index) => {
          nowMs += pause
          if (limits.take(`peer-${index}`, `10.0.${index >> 8}.${index & 255}`)) asked += 1
        })
        expect(asked).toBeLessThanOrEqual(10 + Math.ceil(nowMs / MINUTE_MS))
      }),
    )
  })
})
