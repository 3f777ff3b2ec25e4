import { beforeEach, expect, test } from 'vitest'
import { createClockWatch, wrongClockSentence } from '../../../../src-main/node-table/replicate/clock-watch.js'
import type { ClockWatch } from '../../../../src-main/node-table/replicate/clock-watch.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createTurnableClock } from '../../../fixtures/table-owners.js'

const MINUTE = 60_000
let clock: ReturnType<typeof createTurnableClock>
let log: ReturnType<typeof createRecordingLog>
let watch: ClockWatch

beforeEach(() => {
  clock = createTurnableClock()
  log = createRecordingLog()
  watch = createClockWatch({ clock, monotonic: clock, log })
})

const warnings = (): string[] => log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)

test('a clock that most peers agree with is right, whatever a few say', () => {
  for (const [index, off] of [0, 500, -900, 10 ** 12, -(10 ** 12)].entries())
    watch.heard(`p${index}`, clock.now() + off)
  expect([watch.isWrong(), warnings()]).toEqual([false, []])
})

test.each([2 * 24 * 60 * MINUTE, -2 * 24 * 60 * MINUTE])(
  'one peer of two that is %d ms off makes no clock wrong',
  (off) => {
    watch.heard('right', clock.now())
    watch.heard('off', clock.now() + off)
    expect([watch.isWrong(), watch.aheadMs()]).toEqual([false, 0])
  },
)

test('a clock that most peers disagree with is told of, again after ten minutes, and when it is right again', () => {
  for (let peer = 0; peer < 50; peer += 1) watch.heard(`p${peer}`, clock.now() - 48 * MINUTE)
  expect(watch.aheadMs()).toBe(48 * MINUTE)
  expect(warnings()).toEqual([wrongClockSentence(48 * MINUTE)])
  clock.turn(11 * MINUTE)
  watch.heard('p1', clock.now() - 48 * MINUTE)
  expect(warnings()).toHaveLength(2)
  watch.forget()
  clock.step(-48 * MINUTE)
  watch.heard('p1', clock.now())
  expect([watch.isWrong(), log.lines.at(-1)?.level]).toEqual([false, 'info'])
})

test('the latest time others took is by the later of the two clocks, and unknown while nobody was heard', () => {
  expect(watch.latestMs()).toBe(Infinity)
  watch.heard('p', clock.now() + 60 * MINUTE)
  expect(watch.latestMs()).toBe(clock.now() + 62 * MINUTE)
  watch.heard('p', clock.now() - 60 * MINUTE)
  expect(watch.latestMs()).toBe(clock.now() + 2 * MINUTE)
})

test.each([
  [2 * MINUTE, '2 minutes ahead'],
  [-5 * 60 * MINUTE, '5 hours behind'],
  [2 * 24 * 60 * MINUTE, '2 days ahead'],
])('%d ms is said as "%s"', (ms, words) => {
  expect(wrongClockSentence(ms)).toContain(words)
})
