import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_LEGS, type TrafficEntry, type TrafficLeg } from '#shared/contract/node/traffic.js'
import { FinishedRequests } from '../../../src-main/telemetry/finished-requests.js'

const amount = fc.oneof(fc.nat(), fc.double({ min: 0, max: 2e12, noNaN: true, noDefaultInfinity: true }))
const orNull = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null })
const word = fc.string({ maxLength: 12 })

const candidate = fc.record({
  ...{ peer: word, rttMs: fc.nat(), fixedMs: fc.nat(), readMs: fc.nat() },
  ...{ queueMs: fc.nat(), hangMs: fc.nat(), unreadTokens: fc.nat() },
})
const leg: fc.Arbitrary<TrafficLeg> = fc.record({
  peer: orNull(word),
  outcome: fc.constantFrom('answered', 'refused', 'failed', 'broke-off', 'client-gone'),
  reason: orNull(word),
  startMs: amount,
  durationMs: amount,
  connectMs: orNull(amount),
  ttfbMs: orNull(amount),
})

const entry: fc.Arbitrary<TrafficEntry> = fc.record({
  id: word,
  atMs: amount,
  direction: fc.constantFrom('out', 'in', 'local'),
  service: word,
  method: word,
  route: word,
  model: orNull(word),
  peer: orNull(word),
  key: orNull(word),
  path: orNull(fc.constantFrom('direct-tcp', 'relayed')),
  tries: fc.nat(4),
  legs: fc.array(leg, { maxLength: MAX_LEGS }),
  candidates: orNull(fc.nat()),
  considered: fc.array(candidate, { maxLength: MAX_LEGS }),
  status: orNull(fc.integer({ min: 100, max: 599 })),
  error: orNull(word),
  ttfbMs: orNull(amount),
  durationMs: orNull(amount),
  bytesIn: amount,
  bytesOut: amount,
  tokens: orNull(amount),
  tokensFrom: orNull(fc.constantFrom('usage', 'chunks')),
  tokensIn: orNull(amount),
  cancelledBy: orNull(fc.constantFrom('client', 'provider', 'node')),
})

test('what was put at a place comes out as it was, whatever stood there before and stands beside it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), entry), { minLength: 1, maxLength: 12 }), (puts) => {
      const finished = new FinishedRequests(4)
      const expected = new Map<number, TrafficEntry>()
      for (const [wanted, one] of puts) {
        // Places fill up in order, as a feed's do.
        const place = Math.min(wanted, expected.size)
        finished.put(place, one)
        expected.set(place, one)
        for (const [at, known] of expected) expect(finished.get(at)).toEqual(known)
      }
    }),
  )
})

test('what comes out is a copy, and many different names are no trouble', () => {
  const finished = new FinishedRequests(2)
  const [one] = fc.sample(entry, { numRuns: 1, seed: 1 }) as [TrafficEntry]
  for (let index = 0; index < 10_000; index += 1) finished.put(0, { ...one, model: `model-${index}` })
  const first = finished.get(0)
  expect(first.model).toBe('model-9999')
  first.model = 'another'
  first.legs.length = 0
  expect(finished.get(0)).toEqual({ ...one, model: 'model-9999' })
})
