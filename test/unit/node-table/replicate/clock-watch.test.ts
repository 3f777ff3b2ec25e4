import { beforeEach, expect, test } from 'vitest'
import { createClockWatch, wrongClockSentence } from '../../../../src-main/node-table/replicate/clock-watch.js'
import type { ClockWatch } from '../../../../src-main/node-table/replicate/clock-watch.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createTurnableClock } from '../../../fixtures/table-owners.js'

const MINUTE = 60_000
let clock: ReturnType<typeof createTurnableClock>
let log: ReturnType<typeof createRecordingLog>
let watch: ClockWatch
/** `203.0.113.9/7`: the seventh peer of that address. */
const sourceOf = (peerId: string): string => peerId.split('/')[0] ?? ''

beforeEach(() => {
  clock = createTurnableClock()
  log = createRecordingLog()
  watch = createClockWatch({ clock, monotonic: clock, log, sourceOf })
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
  for (const peer of ['p1', 'p2', 'p3']) watch.heard(peer, clock.now())
  expect([watch.isWrong(), log.lines.at(-1)?.level]).toEqual([false, 'info'])
})

test('twelve ids of one address that say two hours later make no clock wrong', () => {
  for (let peer = 0; peer < 12; peer += 1) watch.heard(`203.0.113.9/${peer}`, clock.now() + 120 * MINUTE)
  expect([watch.isWrong(), warnings()]).toEqual([false, []])
})

test('a thousand ids of one address count no more than one of another, and push no other out', () => {
  for (const address of ['a', 'b']) watch.heard(address, clock.now())
  for (let peer = 0; peer < 1000; peer += 1) watch.heard(`203.0.113.9/${peer}`, clock.now() + 120 * MINUTE)
  expect([watch.isWrong(), watch.aheadMs()]).toEqual([false, 0])
})

test('three addresses that agree make a clock wrong, and two do not', () => {
  const wrong = ['a', 'b', 'c'].map((address) => {
    watch.heard(address, clock.now() + 120 * MINUTE)
    return watch.isWrong()
  })
  expect(wrong).toEqual([false, false, true])
})

test('of one address the median of its peers counts', () => {
  for (const peer of ['nat/1', 'nat/2', 'nat/3']) watch.heard(peer, clock.now())
  watch.heard('nat/liar', clock.now() + 120 * MINUTE)
  expect(watch.aheadMs()).toBe(0)
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
