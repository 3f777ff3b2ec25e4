import { expect, test } from 'vitest'
import { atMostEvery } from '../../../src-main/logging/index.js'

test('the first is written at once, and the next after the period with how many were left out', () => {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  const written: number[] = []
  const write = atMostEvery(1_000, (leftOut) => written.push(leftOut), clock)
  for (clock.ms = 0; clock.ms < 2_500; clock.ms += 100) write()
  expect(written).toEqual([0, 9, 9])
})
