import { beforeEach, describe, expect, test } from 'vitest'
import { createOwnRow, leaseFor } from '../../../../src-main/node-table/replicate/own-row.js'
import type { OwnRow } from '../../../../src-main/node-table/replicate/own-row.js'
import type { TableView } from '../../../../src-main/node-table/view/view.js'
import { createEnvelopeSigner } from '../../../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS } from '../../../../src-main/node-table/wire/epoch.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createOwner, createTurnableClock, recordOffering, TODAY } from '../../../fixtures/table-owners.js'
import type { Owner, TurnableClock } from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../../fixtures/table-parts.js'

const NOON = EPOCH_MS / 2
const MINUTE = 60_000
let me: Owner
let clock: TurnableClock
let table: TableParts
let view: TableView
let sent: Uint8Array[]
let own: OwnRow
let latestMs: number

beforeEach(async () => {
  me = await createOwner(1)
  clock = createTurnableClock()
  latestMs = Infinity
  start()
})

/** A node without a disk: what it knew of itself is gone. */
function start(random = 0.5): void {
  const log = createRecordingLog()
  sent = []
  table = createTableParts({ clock, log, selfId: me.peerId })
  view = table.view
  const send = (envelope: Uint8Array): Promise<void> => {
    sent.push(envelope)
    return Promise.resolve()
  }
  own = createOwnRow(
    {
      ...{ ...table, clock, monotonic: clock, log, send },
      signer: createEnvelopeSigner(me.privateKey),
      latestMs: () => latestMs,
    },
    { peerId: me.peerId, leaseMs: 10 * MINUTE, budgetBytesPerS: 1024, random: () => random },
  )
  view.onAccepted((entry, source) => {
    if (source === 'sync') own.seen(entry)
  })
}

const record = (...models: string[]): ReturnType<typeof recordOffering> => recordOffering(me.peerId, models)
const signedAt = (): unknown => {
  const row = view.get(me.peerId)
  return row === undefined ? undefined : [row.epoch, row.seq]
}

describe('publishing', () => {
  test('puts the row into the own view and sends it at once', async () => {
    await own.publish(record('gpt2'))
    expect([signedAt(), sent.length]).toEqual([[TODAY, NOON], 1])
  })

  test('what says nothing new sends nothing', async () => {
    await own.publish(record('gpt2'))
    await own.publish(record('gpt2'))
    expect(sent).toHaveLength(1)
  })

  test('twice in one millisecond gives two times', async () => {
    await own.publish(record('a'))
    await own.publish(record('b'))
    expect(signedAt()).toEqual([TODAY, NOON + 1])
  })

  test('in a frenzy sends a bounded number, and the last state in the end', async () => {
    for (let round = 0; round < 200; round += 1) await own.publish(record(`model-${String(round)}`))
    expect(sent).toHaveLength(20)
    clock.turn(2500)
    await own.tick()
    expect(view.offers.providers('llm', 'model=model-199').size).toBe(1)
    expect(sent).toHaveLength(21)
  })
})

describe('the logical time', () => {
  test('goes on after the clock was set back', async () => {
    await own.publish(record('a'))
    clock.step(-200_000)
    await own.publish(record('b'))
    expect(signedAt()).toEqual([TODAY, NOON + 1])
    expect(view.offers.providers('llm', 'model=b').size).toBe(1)
  })

  test('starts again where the clock is, when peers say that it was wrong before', async () => {
    clock.step(2 * EPOCH_MS)
    await own.publish(record('a'))
    clock.step(-2 * EPOCH_MS)
    await own.tick()
    expect(signedAt()).toEqual([TODAY + 2, NOON])
    latestMs = clock.now() + MINUTE
    expect(view.sweep(latestMs)).toBe(true)
    await own.tick()
    expect(signedAt()).toEqual([TODAY, NOON])
  })

  test('goes past what the network still has of this node, though its disk was lost', async () => {
    const before = me.row({ seq: NOON + 30_000, models: ['before'] })
    await own.publish(record('after'))
    table.ingest(before, 'sync')
    expect(view.offers.providers('llm', 'model=before').size).toBe(1)
    clock.turn(2000)
    await own.tick()
    expect(signedAt()).toEqual([TODAY, NOON + 30_001])
    expect(view.offers.providers('llm', 'model=before').size).toBe(0)
  })

  test('goes past what the disk has of this node', async () => {
    table.ingest(me.row({ seq: NOON + 50, models: ['before'] }), 'disk')
    await own.publish(record('after'))
    expect(signedAt()).toEqual([TODAY, NOON + 51])
  })

  test('against a second node with the same key, waits longer each time', async () => {
    await own.publish(record('mine'))
    const sentAfter: number[] = []
    for (let second = 1; second <= 60; second += 1) {
      clock.turn(1000)
      const row = view.get(me.peerId)!
      if (row.record.service[0]!.identity_group[0] === 'model=mine') {
        table.ingest(me.row({ seq: row.seq + 1000, models: ['theirs'] }), 'sync')
      }
      await own.tick()
      sentAfter.push(sent.length)
    }
    expect(sentAfter.at(-1)).toBeLessThan(8)
    expect(sentAfter.at(-1)).toBeGreaterThan(2)
  })
})

describe('renewal', () => {
  test('comes before half the lease is over, and not before', async () => {
    await own.publish(record('a'))
    clock.turn(4 * MINUTE - 1)
    await own.tick()
    expect(sent).toHaveLength(1)
    clock.turn(MINUTE + 1)
    await own.tick()
    expect(sent).toHaveLength(2)
    expect(view.get(me.peerId)!.expiresAtMs).toBe(clock.now() + 10 * MINUTE)
  })

  test.each([60 * MINUTE, -60 * MINUTE])(
    'comes when it is due though the clock was set by %d ms, and at once when asked for',
    async (ms) => {
      await own.publish(record('a'))
      clock.step(ms)
      await own.tick()
      expect(sent).toHaveLength(1)
      clock.turn(5 * MINUTE)
      await own.tick()
      expect(sent).toHaveLength(2)
      own.hurry()
      await own.tick()
      expect(sent).toHaveLength(3)
    },
  )

  test('moves a row with a long lease into the new epoch within its first hour', async () => {
    start(1)
    const many = Array.from({ length: 1 }, () => record('a'))[0]!
    own = createOwnRow(
      {
        ...table,
        signer: createEnvelopeSigner(me.privateKey),
        clock,
        monotonic: clock,
        log: createRecordingLog(),
        send: () => Promise.resolve(),
        latestMs: () => latestMs,
      },
      { peerId: me.peerId, leaseMs: 12 * 60 * MINUTE, budgetBytesPerS: 1024, random: () => 1 },
    )
    clock.turn(EPOCH_MS / 2 - 2 * 60 * MINUTE)
    await own.publish(many)
    clock.turn(3 * 60 * MINUTE)
    await own.tick()
    expect(signedAt()).toEqual([TODAY + 1, 60 * MINUTE])
  })

  test('ends with a withdrawal, which is sent once', async () => {
    await own.publish(record('a'))
    await own.withdraw()
    await own.withdraw()
    expect([view.size, sent.length]).toEqual([0, 2])
    clock.turn(60 * MINUTE)
    await own.tick()
    expect(sent).toHaveLength(2)
    await own.publish(record('a'))
    expect(view.size).toBe(1)
  })

  test('is not needed for a row that was never published', async () => {
    await own.withdraw()
    await own.repeat()
    await own.tick()
    expect(sent).toEqual([])
  })

  test('after a long sleep comes at once', async () => {
    await own.publish(record('a'))
    clock.turn(3 * EPOCH_MS)
    view.sweep()
    expect(view.size).toBe(0)
    await own.tick()
    expect(signedAt()).toEqual([TODAY + 3, NOON])
  })
})

test('the lease grows with the table so that renewals stay within their budget', () => {
  const lease = (rows: number, budgetBytesPerS = 1024): number =>
    leaseFor(rows, { minimumMs: 10 * MINUTE, budgetBytesPerS })
  expect(lease(10)).toBe(10 * MINUTE)
  expect(lease(100)).toBeGreaterThan(20 * MINUTE)
  expect(lease(100_000)).toBe(12 * 60 * MINUTE)
  expect(lease(100, 300)).toBeGreaterThan(3 * lease(100))
  const ofPartial = (minimumMs: number): number => leaseFor(2000, { minimumMs, budgetBytesPerS: 1024, isPartial: true })
  expect([10 * MINUTE, 5 * 60 * MINUTE].map(ofPartial)).toEqual([120 * MINUTE, 5 * 60 * MINUTE])
  for (const rows of [50, 200, 2000]) {
    const bytesPerS = (rows * 7 * 1100 * 1000) / (lease(rows) / 2)
    expect(bytesPerS).toBeLessThanOrEqual(1025)
  }
})
