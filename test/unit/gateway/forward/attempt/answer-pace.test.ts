import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  AnswerPace,
  type PaceRules,
  WaitingAnswer,
} from '../../../../../src-main/gateway/forward/attempt/answer-pace.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
const paces: AnswerPace[] = []
afterEach(() => {
  for (const pace of paces.splice(0)) pace.stop()
  // Those of one length share a timer, which ends with the last of them.
  vi.advanceTimersByTime(RULES.dripMs)
  vi.useRealTimers()
})

const RULES: PaceRules = { dripMs: 60_000, silenceMs: undefined, idleMs: 300_000 }
const EVENT = 'data: {"choices":[]}\n\n'

/** An answer that has begun to come, and what was said of its stalls. */
function followed(rules: Partial<PaceRules> = {}) {
  const pace = new AnswerPace({ ...RULES, ...rules })
  paces.push(pace)
  const stalls: string[] = []
  pace.follow(({ message }) => stalls.push(message))
  return {
    pace,
    stalls,
    says: (text: string): boolean => pace.push(Buffer.from(text)),
    /** So many seconds pass; what `each` says is said in each of them. */
    pass: (seconds: number, each?: (second: number) => string): void => {
      for (let second = 0; second < seconds; second += 1) {
        vi.advanceTimersByTime(1_000)
        if (each !== undefined) pace.push(Buffer.from(each(second)))
      }
    },
  }
}

describe('the pace of an answer', () => {
  test.each([
    ['an event in one piece', [EVENT], true],
    ['an event byte by byte', Array.from(EVENT), true],
    ['a line of NDJSON', ['{"message":{"content":""}}\n'], true],
    ['a KiB without a line', ['x'.repeat(1_024)], true],
    ['a comment', [': waiting, and waiting\n\n'], false],
    ['comments of a KiB', [`: ${'x'.repeat(2_000)}\n\n`], false],
    ['blank lines', ['\n\n\r\n\r\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n'], false],
    ['scraps of lines', ['a\nb\nc\nd\ne\nf\ng\nh\n'], false],
    ['the beginning of an event', ['data: {"choices":[{"delta":{'], false],
  ])('%s: whether the answer gets on is told from it', (_what, pieces, isProgress) => {
    const { says } = followed()
    expect(pieces.map(says).includes(true)).toBe(isProgress)
  })

  test('an answer of single bytes is given up after a minute, long before it could be called silent', () => {
    const { stalls, pass } = followed()
    pass(50, (second) => (second % 10 === 0 ? 'x' : ''))
    expect(stalls).toEqual([])
    pass(20, (second) => (second % 10 === 0 ? 'x' : ''))
    expect(stalls).toEqual(['it came by drops'])
  })

  test('an answer of one event in fifty seconds is as slow as it is, and goes on', () => {
    const { stalls, pass } = followed()
    pass(2_000, (second) => (second % 50 === 0 ? EVENT : ''))
    expect(stalls).toEqual([])
  })

  test('an answer that is silent is given up after the idle time-out where nothing is known of its provider', () => {
    const { stalls, pass, says } = followed()
    says(EVENT)
    pass(290)
    expect(stalls).toEqual([])
    pass(80)
    expect(stalls).toEqual(['no byte for too long'])
  })

  test('an answer that is silent is given up sooner where others of its provider moved, unless comments come', () => {
    const quick = followed({ silenceMs: 60_000 })
    quick.says(EVENT)
    quick.pass(70)
    expect(quick.stalls).toEqual(['no byte for too long'])
    const commenting = followed({ silenceMs: 60_000 })
    commenting.says(EVENT)
    commenting.pass(250, (second) => (second % 15 === 0 ? ': ping\n\n' : ''))
    expect(commenting.stalls).toEqual([])
  })

  test('comments alone keep an answer alive no longer than the idle time-out', () => {
    const { stalls, pass } = followed()
    pass(370, (second) => (second % 15 === 0 ? ': ping\n\n' : ''))
    expect(stalls).toEqual(['no byte for too long'])
  })

  test('an answer that its client does not take is not given up', () => {
    const { pace, stalls, pass, says } = followed({ silenceMs: 60_000 })
    says('data: {"cho')
    pace.holdBack()
    pass(600)
    pace.goOn()
    pass(50)
    expect(stalls).toEqual([])
    pass(20)
    expect(stalls).toEqual(['it came by drops'])
  })

  test('the time to the first progress and the longest gap behind it are measured', () => {
    const { pace, pass, says } = followed()
    expect(pace.firstMs).toBeUndefined()
    pass(3)
    says(': comment\n\n')
    pass(4)
    says(EVENT)
    pass(2)
    says(EVENT)
    pass(5)
    pace.end()
    expect([pace.firstMs, pace.gapMs]).toEqual([7_000, 5_000])
  })

  test('nothing is said any more once it is over', () => {
    const { pace, stalls, pass } = followed({ silenceMs: 60_000 })
    pass(30)
    pace.stop()
    pass(600)
    expect(stalls).toEqual([])
  })
})

test('no more than 64 KiB of an answer that does not begin are kept', () => {
  const waiting = new WaitingAnswer(200, {})
  const block = Buffer.alloc(32 * 1024)
  expect([waiting.push(block), waiting.push(block), waiting.push(block)]).toEqual([true, true, false])
})
