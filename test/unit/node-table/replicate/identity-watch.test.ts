import { beforeEach, describe, expect, test } from 'vitest'
import { IdentityWatch } from '../../../../src-main/node-table/replicate/identity-watch.js'
import { epochOf, epochStart, type LogicalTime } from '../../../../src-main/node-table/wire/epoch.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const NOON = Date.UTC(2026, 0, 5, 12)
const MINUTE = 60_000

let wallMs: number
let elapsedMs: number
let log: ReturnType<typeof createRecordingLog>
let watch: IdentityWatch

/** Time passes, on both clocks. */
function pass(ms: number): void {
  wallMs += ms
  elapsedMs += ms
}

beforeEach(() => {
  wallMs = NOON
  elapsedMs = 1_000
  log = createRecordingLog()
  watch = new IdentityWatch({ clock: { now: () => wallMs }, monotonic: { elapsedMs: () => elapsedMs }, log })
})

const signedAt = (ms: number): LogicalTime => ({ epoch: epochOf(ms), seq: ms - epochStart(epochOf(ms)) })

describe('the watch over this node’s identity', () => {
  test('a row that was signed elsewhere since the start says that another machine uses the identity', () => {
    pass(MINUTE)
    expect(watch.isElsewhere).toBe(false)
    watch.seen(signedAt(NOON + 30_000))
    expect(watch.isElsewhere).toBe(true)
  })

  test('it is said once in the log, and over a quarter of an hour after the last sign', () => {
    for (let count = 0; count < 4; count += 1) {
      pass(5 * MINUTE)
      watch.seen(signedAt(wallMs - 1_000))
    }
    expect(log.lines.filter(({ message }) => message.includes('another machine'))).toHaveLength(1)
    pass(14 * MINUTE)
    expect(watch.isElsewhere).toBe(true)
    pass(2 * MINUTE)
    expect(watch.isElsewhere).toBe(false)
  })

  test('a row that an earlier run signed is no sign of another machine', () => {
    pass(MINUTE)
    watch.seen(signedAt(NOON - 1_000))
    expect(watch.isElsewhere).toBe(false)
  })

  test('a row that an earlier run signed with a clock that was ahead is no sign of another machine', () => {
    pass(MINUTE)
    watch.seen(signedAt(NOON + 60 * MINUTE))
    expect(watch.isElsewhere).toBe(false)
  })

  test('a row that an earlier run signed is no sign where the clock stood still while the machine was off', () => {
    pass(MINUTE)
    // The clock is set: the start was an hour later than it said, and the earlier run before that.
    wallMs += 60 * MINUTE
    watch.seen(signedAt(NOON + 30 * MINUTE))
    expect(watch.isElsewhere).toBe(false)
  })
})
