import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createClockWatch } from '../../../../src-main/node-table/replicate/clock-watch.js'
import { createSenderLimits } from '../../../../src-main/node-table/replicate/sender-limits.js'
import { initiateSync, respondToSync } from '../../../../src-main/node-table/replicate/sync-session.js'
import type { SessionNeeds, SyncOutcome } from '../../../../src-main/node-table/replicate/sync-session.js'
import { canonicalUpdate } from '../../../../src-main/node-table/wire/canonical-update.js'
import { createKeyRing } from '../../../../src-main/node-table/wire/key-ring.js'
import { decodeFrame, encodeFrame, FRAME_LENGTH_BYTES } from '../../../../src-main/node-table/wire/sync-frames.js'
import type { SyncFrame } from '../../../../src-main/node-table/wire/sync-frames.js'
import { createFramePipe } from '../../../fixtures/frame-pipe.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createOwners, createTurnableClock, TODAY } from '../../../fixtures/table-owners.js'
import type { Owner } from '../../../fixtures/table-owners.js'
import { createTableParts } from '../../../fixtures/table-parts.js'

const clock = createTurnableClock()
const keys = createKeyRing()
let owners: Owner[]
let mine: SessionNeeds

beforeAll(async () => {
  owners = await createOwners(400)
})

beforeEach(() => {
  mine = createSide()
})

function createSide(options: { maxRows?: number } = {}): SessionNeeds {
  const log = createRecordingLog()
  return {
    ...createTableParts({ clock, keys, log, selfId: 'me', defer: undefined, ...options }),
    limits: createSenderLimits({ monotonic: clock, log }),
    clock,
    clockWatch: createClockWatch({ clock, monotonic: clock, log, sourceOf: (peerId) => peerId }),
  }
}

/** A stranger that says these frames whatever it is told, then closes. */
async function answerStranger(frames: readonly SyncFrame[]): Promise<SyncOutcome> {
  const [left, right] = createFramePipe()
  for (const frame of frames) left.write(frame)
  await left.close()
  return await respondToSync(mine, right, 'stranger')
}

const hello: SyncFrame = { type: 'hello', timeMs: clock.now(), digest: new Uint8Array(16).fill(9) }
const nothing: SyncFrame = { type: 'state', timeMs: clock.now(), clocks: new Map() }
const rows = (update: Uint8Array): SyncFrame => ({ type: 'rows', update })
const update = (bytes: Uint8Array): Uint8Array =>
  canonicalUpdate([{ peerId: 'any', epoch: TODAY, seq: 1, clientId: 1, bytes }])

describe('a sync', () => {
  test('of equal tables says so and ends', async () => {
    const other = createSide()
    for (const side of [mine, other]) side.verifier.ingest(owners[0]!.row(), 'sync')
    for (const side of [mine, other]) await side.verifier.settled()
    expect(mine.view.size).toBe(1)
    const sent: string[] = []
    const [left, right] = createFramePipe((frame) => {
      sent.push(frame.type)
      return false
    })
    const outcomes = await Promise.all([
      initiateSync(mine, left, 'other', { inFull: false }),
      respondToSync(other, right, 'me'),
    ])
    expect(outcomes.map(({ result }) => result)).toEqual(['same', 'same'])
    expect(sent).toEqual(['hello', 'same'])
  })

  test('moves a large table in chunks, each after the last was taken', async () => {
    const other = createSide()
    const models = Array.from({ length: 60 }, (_, index) => `a-model-with-a-long-name-${String(index)}`)
    for (const owner of owners) other.verifier.ingest(owner.row({ models }), 'sync')
    let chunks = 0
    const [left, right] = createFramePipe((frame) => {
      if (frame.type === 'rows') {
        chunks += 1
        expect(frame.update.byteLength).toBeLessThan(300 * 1024)
      }
      return false
    })
    const [outcome] = await Promise.all([
      initiateSync(mine, left, 'other', { inFull: false }),
      respondToSync(other, right, 'me'),
    ])
    expect(outcome.result).toBe('done')
    expect(outcome.learned).toHaveLength(owners.length)
    expect(chunks).toBeGreaterThan(2)
    expect(mine.view.digest()).toEqual(other.view.digest())
  })

  test('with a table that has no room takes one chunk of what is of no use, and still gives all it has', async () => {
    const other = createSide()
    mine = createSide({ maxRows: 1 })
    mine.verifier.ingest(owners[0]!.row(), 'sync')
    const models = Array.from({ length: 60 }, (_, index) => `a-model-with-a-long-name-${String(index)}`)
    for (const owner of owners.slice(1)) other.verifier.ingest(owner.row({ models }), 'sync')
    for (const isAsking of [true, false]) {
      let chunks = 0
      const [left, right] = createFramePipe((frame) => {
        if (frame.type === 'rows' && frame.update.byteLength > 10_000) chunks += 1
        return false
      })
      const [asking, asked] = isAsking ? [mine, other] : [other, mine]
      const outcomes = await Promise.all([
        initiateSync(asking, left, 'asked', { inFull: false }),
        respondToSync(asked, right, 'asking'),
      ])
      expect(outcomes.map(({ result }) => result)).toEqual(['done', 'done'])
      expect(chunks).toBe(1)
      expect([mine.view.size, other.view.size]).toEqual([1, owners.length])
    }
  })

  test('tells each side how far its clock is off', async () => {
    const other = createSide()
    const slow: SessionNeeds = { ...other, clock: { now: () => clock.now() - 300_000 } }
    for (const peer of ['b', 'c', 'd']) {
      const [left, right] = createFramePipe()
      await Promise.all([initiateSync(mine, left, peer, { inFull: false }), respondToSync(slow, right, 'a')])
    }
    expect(mine.clockWatch.aheadMs()).toBe(300_000)
    expect(mine.clockWatch.isWrong()).toBe(true)
  })

  test('that breaks off keeps what has come, and the next one brings the rest', async () => {
    const other = createSide()
    const models = Array.from({ length: 60 }, (_, index) => `a-model-with-a-long-name-${String(index)}`)
    for (const owner of owners) other.verifier.ingest(owner.row({ models }), 'sync')
    let chunks = 0
    const [left, right] = createFramePipe((frame) => frame.type === 'rows' && ++chunks === 2)
    const [outcome] = await Promise.all([
      initiateSync(mine, left, 'other', { inFull: false }),
      respondToSync(other, right, 'me'),
    ])
    expect(outcome.result).toBe('closed')
    expect(mine.view.size).toBeGreaterThan(0)
    expect(mine.view.size).toBeLessThan(owners.length)
    const pipe = createFramePipe()
    await Promise.all([initiateSync(mine, pipe[0], 'other', { inFull: false }), respondToSync(other, pipe[1], 'me')])
    expect(mine.view.size).toBe(owners.length)
  })
})

describe('a stranger', () => {
  test('that sends a forged row ends the sync, and nothing changes', async () => {
    const forged = owners[0]!.row()
    forged[forged.length - 1]! ^= 1
    expect((await answerStranger([hello, rows(update(forged)), nothing])).result).toBe('invalid')
    expect(mine.view.entryCount).toBe(0)
  })

  test.each<[string, SyncFrame[]]>([
    ['an update that is none', [hello, rows(new Uint8Array([1, 2, 3]))]],
    ['rows without a row', [hello, rows(canonicalUpdate([]))]],
    ['frames out of turn', [{ type: 'end' }]],
    ['a second hello', [hello, hello]],
  ])('that sends %s ends the sync', async (_, frames) => {
    expect((await answerStranger(frames)).result).toBe('invalid')
  })

  test('that goes on sending invalid bytes is not listened to any more, for ten minutes', async () => {
    for (let round = 0; round < 11; round += 1) await answerStranger([hello, rows(new Uint8Array([1]))])
    expect(mine.limits.isBanned('stranger')).toBe(true)
    expect((await answerStranger([hello, rows(update(owners[0]!.row())), nothing])).result).toBe('refused')
    clock.turn(10 * 60_000)
    expect(mine.limits.isBanned('stranger')).toBe(false)
  })

  test('that sends more rows than any table has runs out of tokens', () => {
    expect(mine.limits.admit('stranger', 50_000)).toBe(true)
    expect(mine.limits.admit('stranger', 1)).toBe(false)
    expect(mine.limits.admit('another', 1)).toBe(true)
    clock.turn(1000)
    expect(mine.limits.admit('stranger', 100)).toBe(true)
  })
})

describe('a sync frame', () => {
  const frames: SyncFrame[] = [
    hello,
    { type: 'same', timeMs: 5 },
    {
      type: 'state',
      timeMs: 2 ** 40,
      clocks: new Map([
        [2 ** 53 - 1, 5],
        [7, 86_400_000],
      ]),
    },
    rows(new Uint8Array([1, 2, 3])),
    { type: 'taken' },
    { type: 'enough' },
    { type: 'end' },
  ]

  test.each(frames)('$type comes out as it went in', (frame) => {
    expect(decodeFrame(encodeFrame(frame).subarray(FRAME_LENGTH_BYTES))).toEqual(frame)
  })

  test('with a state of more clocks than a table has rows is refused', () => {
    const time = new Uint8Array(8)
    expect(decodeFrame(Uint8Array.from([2, ...time, 0xff, 0xff, 0x7f]))).toBeUndefined()
    expect(decodeFrame(Uint8Array.from([2, ...time, 1, 5]))).toBeUndefined()
  })
})

test('a partial table sends 64 rows of those that the other lacks, at random', async () => {
  const partial: SessionNeeds = { ...createSide(), isPartial: () => true }
  for (const owner of owners) partial.verifier.ingest(owner.row(), 'sync')
  await partial.verifier.settled()
  const learned = async (): Promise<string[]> => {
    const newcomer = createSide()
    const [left, right] = createFramePipe()
    const [outcome] = await Promise.all([
      initiateSync(newcomer, left, 'partial', { inFull: false }),
      respondToSync(partial, right, 'newcomer'),
    ])
    expect(outcome.bytes).toBeGreaterThan(64 * 200)
    return [...newcomer.view.all()].map(({ peerId }) => peerId)
  }
  const [first, second] = [await learned(), await learned()]
  expect([first.length, second.length]).toEqual([64, 64])
  expect(new Set([...first, ...second]).size).toBeGreaterThan(64)
})
