import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createMicroBatch } from '../../../../src-main/node-table/replicate/micro-batch.js'
import type { VerifiedRow } from '../../../../src-main/node-table/view/entry.js'
import { EPOCH_MS } from '../../../../src-main/node-table/wire/epoch.js'
import { createOwners, createTurnableClock, type Owner } from '../../../fixtures/table-owners.js'
import { createTableParts, never, type TableParts } from '../../../fixtures/table-parts.js'

const NOON = EPOCH_MS / 2
const clock = createTurnableClock()
let owners: Owner[]
let alice: Owner
let table: TableParts

beforeAll(async () => {
  owners = await createOwners(6)
  alice = owners[0]!
})

beforeEach(() => {
  table = createTableParts({ clock, selfId: owners[5]!.peerId, defer: never })
})

describe('a row that waits for its micro-batch', () => {
  test('is known, though it is not in the view yet', () => {
    expect(table.ingest(alice.row(), 'gossip')).toBe('accepted')
    expect([table.view.entryCount, table.ingest(alice.row(), 'sync')]).toEqual([0, 'known'])
    expect(table.ingest(alice.row({ seq: NOON - 1 }), 'sync')).toBe('known')
    table.verifier.flush()
    expect(table.view.get(alice.peerId)?.seq).toBe(NOON)
  })

  test('makes way for a newer one, which alone enters the document', () => {
    table.ingest(alice.row({ seq: NOON - 1 }), 'sync')
    table.ingest(alice.row(), 'sync')
    const events: string[] = []
    table.view.subscribe(({ type }) => events.push(type))
    table.verifier.flush()
    expect([events, table.view.get(alice.peerId)?.seq]).toEqual([['row:added'], NOON])
  })

  test('is dropped when its owner signs another with the same sequence number', () => {
    table.ingest(alice.row({ models: ['one'] }), 'gossip')
    expect(table.ingest(alice.row({ models: ['two'] }), 'gossip')).toBe('equivocation')
    table.verifier.flush()
    expect(table.view.entryCount).toBe(0)
  })

  test('counts against the rows a table may have, and against the changes of its owner', () => {
    table = createTableParts({ clock, maxRows: 2, defer: never })
    expect(owners.slice(0, 3).map((owner) => table.ingest(owner.row(), 'sync'))).toEqual([
      'accepted',
      'accepted',
      'full',
    ])
    const verdicts = Array.from({ length: 40 }, (_, index) =>
      table.ingest(alice.row({ seq: NOON + 1 + index }), 'gossip'),
    )
    expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(29)
    table.verifier.flush()
    expect(table.view.entryCount).toBe(2)
  })

  test('is evicted by one of an owner that was met, as if it were in the view', () => {
    table = createTableParts({ clock, maxRows: 1, defer: never })
    table.view.verified(owners[1]!.peerId, '/ip4/203.0.113.7/tcp/43905')
    expect(table.ingest(alice.row(), 'sync')).toBe('accepted')
    expect(table.ingest(owners[1]!.row(), 'sync')).toBe('accepted')
    expect(table.ingest(owners[2]!.row(), 'sync')).toBe('full')
    table.verifier.flush()
    expect([...table.view.rows()].map(({ peerId }) => peerId)).toEqual([owners[1]!.peerId])
  })

  test('keeps its bytes, whatever becomes of those it came in', () => {
    const bytes = alice.row()
    table.ingest(bytes, 'sync')
    bytes.fill(0)
    table.verifier.flush()
    expect(table.view.entry(alice.peerId)?.bytes).toEqual(alice.row())
  })

  test('is in the view once all has settled; this node’s own, and one that was asked for, at once', async () => {
    table.ingest(alice.row(), 'sync')
    const settled = table.verifier.settled()
    expect(table.ingest(owners[5]!.row(), 'self')).toBe('accepted')
    expect(table.view.size).toBe(2)
    await settled
    await table.verifier.settled()
    expect(table.ingest(owners[1]!.row(), 'asked')).toBe('accepted')
    expect(table.view.size).toBe(3)
  })

  test('is in the view at the end of the turn, in a small table', async () => {
    table = createTableParts({ clock, defer: undefined })
    table.ingest(alice.row(), 'gossip')
    expect(table.view.size).toBe(0)
    await new Promise((resolve) => setImmediate(resolve))
    expect(table.view.size).toBe(1)
  })
})

describe('micro-batches', () => {
  const row = (number: number): VerifiedRow => ({
    ...{ peerId: `peer-${String(number)}`, epoch: 1, seq: 1, bytes: new Uint8Array(1), record: undefined },
    ...{ expiresAtMs: 0, endsAtMs: 0, changes: { tokens: 1, atMs: 0 }, source: 'sync' },
  })

  /** What a batch waits for, after a transaction of so many milliseconds in a table of so many rows. */
  function pauseAfter(tookMs: number, rows: number): number {
    const clock = createTurnableClock(0)
    let pauseMs = -1
    const batch = createMicroBatch({
      write: () => {
        clock.turn(tookMs)
        return rows
      },
      defer: (_, delayMs) => {
        pauseMs = delayMs
        return () => undefined
      },
      monotonic: clock,
    })
    batch.add(row(1), true)
    batch.flush()
    batch.add(row(2), true)
    return pauseMs
  }

  test('follow one another without a pause in a small table, even where the machine is held up', () => {
    expect(pauseAfter(0, 20)).toBe(0)
    expect(pauseAfter(50, 20)).toBe(0)
  })

  test('pause the longer, the more rows there are and the slower transactions are, and never for long', () => {
    expect(pauseAfter(3, 10_000)).toBeGreaterThan(20)
    expect(pauseAfter(6, 20_000)).toBeGreaterThan(1.5 * pauseAfter(3, 10_000))
    expect(pauseAfter(100, 10_000)).toBeGreaterThan(1.5 * pauseAfter(0, 10_000))
    expect(pauseAfter(50, 1_000_000)).toBeLessThanOrEqual(150)
  })

  test('are written when a thousand rows wait', () => {
    let written = 0
    const batch = createMicroBatch({ write: (rows) => (written += rows.length), defer: never })
    for (let number = 0; number < 1030; number += 1) batch.add(row(number), true)
    expect([written, batch.newOwners.size]).toEqual([1024, 6])
    batch.close()
    batch.add(row(0), true)
    expect([written, batch.newOwners.size]).toEqual([1030, 0])
  })
})
