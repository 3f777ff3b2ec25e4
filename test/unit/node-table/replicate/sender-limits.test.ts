import { beforeEach, expect, test } from 'vitest'
import { createSenderLimits, type SenderLimits } from '../../../../src-main/node-table/replicate/sender-limits.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createTurnableClock, type TurnableClock } from '../../../fixtures/table-owners.js'

const MINUTE = 60_000
let clock: TurnableClock
let limits: SenderLimits

beforeEach(() => {
  clock = createTurnableClock()
  limits = createSenderLimits({ monotonic: clock, log: createRecordingLog() })
})

test.each([0, 60 * MINUTE, -60 * MINUTE])('a ban lasts ten minutes though the clock is set by %d ms', (ms) => {
  for (let sent = 0; sent < 11; sent += 1) limits.reportInvalid('liar')
  clock.step(ms)
  clock.turn(10 * MINUTE - 1)
  expect([limits.isBanned('liar'), limits.banned(), limits.admit('liar', 1)]).toEqual([true, ['liar'], false])
  clock.turn(1)
  expect([limits.isBanned('liar'), limits.banned(), limits.admit('liar', 1)]).toEqual([false, [], true])
})

test.each([0, 60 * MINUTE, -60 * MINUTE])(
  'envelopes come back at their rate though the clock is set by %d ms',
  (ms) => {
    expect([limits.admit('peer', 50_000), limits.admit('peer', 1)]).toEqual([true, false])
    clock.step(ms)
    expect(limits.admit('peer', 1)).toBe(false)
    clock.turn(1000)
    expect([limits.admit('peer', 100), limits.admit('peer', 1)]).toEqual([true, false])
  },
)
