import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ANSWER_WITHIN_MS,
  ASK_AFTER_MS,
  askedNow,
  judge,
  LATE_MS,
  heardNow,
  type Check,
  type Verdict,
} from '../../../../../src-main/p2p/hardening/liveness/dead-peer.js'

const quiet = (sinceLastMs = 1_000): Check => ({ sinceLastMs, isHeard: false, takenBytes: 0, writtenBytes: 0 })
const quietFor = (seconds: number, look = quiet()): Check[] => Array.from({ length: seconds }, () => look)
const heard: Check = { ...quiet(), isHeard: true }

function verdicts(looks: Check[], start = heardNow()): Verdict[] {
  let liveness = start
  return looks.map((look) => {
    const judged = judge(liveness, look)
    liveness = judged.liveness
    return judged.verdict
  })
}

describe('a connection in use', () => {
  test('is asked after three quiet seconds, and dead after five more', () => {
    const all = verdicts(quietFor(10))
    expect(all.indexOf('ask')).toBe(2)
    expect(all.indexOf('dead')).toBe(7)
    expect(all.filter((verdict) => verdict === 'ask')).toHaveLength(1)
  })

  test('that answers in the last moment lives, and is asked anew when it falls quiet again', () => {
    const all = verdicts([...quietFor(7), heard, ...quietFor(7)])
    expect(all).not.toContain('dead')
    expect(all.filter((verdict) => verdict === 'ask')).toHaveLength(2)
  })

  test('whose send buffer empties lives: the question would wait behind what is not sent yet', () => {
    expect(verdicts(quietFor(60, { ...quiet(), takenBytes: 5_000 }))).not.toContain('dead')
  })

  test('gets the longer the more was sent to it just now: a poor line needs its time', () => {
    const sent = { ...quiet(), writtenBytes: 80_000 }
    // Ten seconds at 8 bytes a millisecond, of which three have passed when it is asked.
    expect(verdicts([sent, ...quietFor(60)]).indexOf('dead')).toBe(7 + 7)
    expect(verdicts([{ ...sent, writtenBytes: 900_000_000 }, ...quietFor(60)]).indexOf('dead')).toBeLessThan(7 + 33)
  })

  test('keeps that time when it says something else meanwhile, and only for as long as a poor line needs', () => {
    const sent = { ...quiet(), writtenBytes: 200_000 }
    expect(verdicts([sent, heard, ...quietFor(60)]).indexOf('dead')).toBeGreaterThan(2 + 7 + 15)
    const later = Array.from({ length: 30 }, () => heard)
    expect(verdicts([sent, ...later, ...quietFor(60)]).indexOf('dead')).toBe(31 + 7)
  })

  test('that is doubted is dead five seconds later', () => {
    expect(verdicts(quietFor(6), askedNow(heardNow())).indexOf('dead')).toBe(4)
  })

  test('is not blamed for a look that comes late, or before the last one', () => {
    for (const sinceLastMs of [LATE_MS + 1, 3_600_000, -5_000]) {
      const asked = judge(
        { quietMs: 7_500, asked: { agoMs: 4_900, withinMs: 5_000 }, queuedBytes: 0 },
        quiet(sinceLastMs),
      )
      expect(asked).toEqual({ liveness: heardNow(), verdict: 'alive' })
    }
  })
})

describe('whatever the looks', () => {
  const look = fc.record({
    sinceLastMs: fc.integer({ min: 1, max: LATE_MS }),
    isHeard: fc.boolean(),
    takenBytes: fc.oneof(fc.constant(0), fc.nat(5_000_000)),
    writtenBytes: fc.oneof(fc.constant(0), fc.nat(5_000_000)),
  })

  test('who says anything within the time for an answer is never dead', () => {
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
        let sinceHeardMs = 0
        const fair = looks.map((one) => {
          sinceHeardMs += one.sinceLastMs
          const isHeard = one.isHeard || sinceHeardMs >= ASK_AFTER_MS + ANSWER_WITHIN_MS - LATE_MS
          if (isHeard) sinceHeardMs = 0
          return { ...one, isHeard }
        })
        expect(verdicts(fair)).not.toContain('dead')
      }),
    )
  })

  test('nobody is dead who was not asked, and had the time to answer', () => {
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
        let askedAgoMs: number | undefined
        for (const [index, verdict] of verdicts(looks).entries()) {
          if (askedAgoMs !== undefined) askedAgoMs += looks[index]!.sinceLastMs
          if (verdict === 'dead') expect(askedAgoMs).toBeGreaterThanOrEqual(ANSWER_WITHIN_MS)
          if (verdict === 'alive') askedAgoMs = undefined
          if (verdict === 'ask') askedAgoMs = 0
        }
      }),
    )
  })

  test('who says nothing, with nothing unsent, is dead within eleven seconds, however the looks fall', () => {
    const gaps = fc.array(fc.integer({ min: 900, max: 1_500 }), { minLength: 14, maxLength: 14 })
    fc.assert(
      fc.property(gaps, (all) => {
        const at = verdicts(all.map((gap) => quiet(gap))).indexOf('dead')
        expect(at).toBeGreaterThan(0)
        expect(all.slice(0, at + 1).reduce((sum, gap) => sum + gap, 0)).toBeLessThanOrEqual(11_000)
      }),
    )
  })
})
