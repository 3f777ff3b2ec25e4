import { beforeAll, beforeEach, expect, test } from 'vitest'
import { Doc } from 'yjs'
import { createClockWatch } from '../../../../src-main/node-table/replicate/clock-watch.js'
import { createTableReplica } from '../../../../src-main/node-table/replicate/replica.js'
import { createSenderLimits } from '../../../../src-main/node-table/replicate/sender-limits.js'
import {
  initiateSync,
  respondToSync,
  type SessionNeeds,
} from '../../../../src-main/node-table/replicate/sync-session.js'
import type { TableStore } from '../../../../src-main/node-table/store/persistence.js'
import { MAX_ROWS } from '../../../../src-main/node-table/wire/canonical-update.js'
import { MAX_LEASE_MS } from '../../../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS } from '../../../../src-main/node-table/wire/epoch.js'
import { createFramePipe } from '../../../fixtures/frame-pipe.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import {
  createOwners,
  createTurnableClock,
  TODAY,
  type Owner,
  type TurnableClock,
} from '../../../fixtures/table-owners.js'
import { createTableParts, never, type TableParts } from '../../../fixtures/table-parts.js'

const NOON = EPOCH_MS / 2
const MINUTE = 60_000
const MAX_PROOFS = 100
let owners: Owner[]
let clock: TurnableClock
let saw: TableParts

beforeAll(async () => {
  owners = await createOwners(MAX_PROOFS + 20)
})
beforeEach(() => {
  clock = createTurnableClock()
  saw = createTableParts({ clock })
})

const row = (owner: Owner, model: string, leaseMs = 10 * MINUTE): Uint8Array => owner.row({ models: [model], leaseMs })

/** Both rows of an owner, at one node. */
function seeBoth(table: TableParts, owner: Owner, leaseMs?: number): void {
  table.ingest(row(owner, 'one', leaseMs), 'sync')
  expect(table.ingest(row(owner, 'other', leaseMs), 'sync')).toBe('equivocation')
}

function sideOf(table: TableParts): SessionNeeds {
  const log = createRecordingLog()
  return {
    ...{ ...table, clock },
    limits: createSenderLimits({ monotonic: clock, log }),
    clockWatch: createClockWatch({ clock, monotonic: clock, log, sourceOf: (peerId) => peerId }),
  }
}

/** Compares two tables; returns how many bytes of rows went over. */
async function compare(a: TableParts, b: TableParts): Promise<number> {
  let sizeBytes = 0
  const [left, right] = createFramePipe((frame) => {
    if (frame.type === 'rows') sizeBytes += frame.update.byteLength
    return false
  })
  const outcomes = await Promise.all([
    initiateSync(sideOf(a), left, 'b', { inFull: true }),
    respondToSync(sideOf(b), right, 'a'),
  ])
  expect(outcomes.map(({ result }) => result)).toEqual(['done', 'done'])
  return sizeBytes
}

test('a node that saw one of two rows with one number drops the owner after a sync with one that saw both', async () => {
  const [liar, honest] = owners
  for (const model of ['one', 'other']) {
    const sawOne = createTableParts({ clock })
    for (const table of [saw, sawOne]) table.ingest(honest!.row(), 'sync')
    sawOne.ingest(row(liar!, model), 'sync')
    seeBoth(saw, liar!)
    expect(sawOne.view.get(liar!.peerId)).toBeDefined()
    await compare(sawOne, saw)
    expect([...sawOne.view.rows()].map(({ peerId }) => peerId)).toEqual([honest!.peerId])
    expect(sawOne.ingest(liar!.row({ seq: NOON + 1 }), 'gossip')).toBe('banned')
    saw = createTableParts({ clock })
  }
})

test('a proof goes on from one that was brought it, and to none that has it', async () => {
  const [liar] = owners
  const [second, third] = [createTableParts({ clock }), createTableParts({ clock })]
  seeBoth(saw, liar!)
  third.ingest(row(liar!, 'one'), 'sync')
  expect(await compare(second, saw)).toBeGreaterThan(400)
  expect(await compare(second, saw)).toBe(0)
  await compare(second, third)
  expect(third.view.size).toBe(0)
})

test('an owner is left out until neither of its two rows could count', () => {
  const [liar] = owners
  seeBoth(saw, liar!, MAX_LEASE_MS)
  clock.turn(MAX_LEASE_MS - MINUTE)
  expect(saw.ingest(row(liar!, 'one', MAX_LEASE_MS), 'sync')).toBe('banned')
  clock.turn(2 * MINUTE)
  expect(saw.ingest(liar!.row({ seq: NOON + MAX_LEASE_MS + MINUTE }), 'sync')).toBe('accepted')
})

test('a proof that is over bans its owner no more, whoever brings it', () => {
  const [liar] = owners
  clock.turn(11 * MINUTE)
  saw.ingest(row(liar!, 'one'), 'sync')
  expect(saw.ingest(row(liar!, 'other'), 'sync')).toBe('known')
  expect(saw.ingest(liar!.row({ seq: NOON + 11 * MINUTE }), 'sync')).toBe('accepted')
  expect(saw.documents.clocks().size).toBe(1)
})

test('of one owner one proof is kept, and a hundred in all: those that last longest', () => {
  for (const owner of owners) seeBoth(saw, owner, owners.indexOf(owner) < 20 ? 10 * MINUTE : 20 * MINUTE)
  expect(saw.documents.clocks().size).toBe(2 * MAX_PROOFS)
  const kept = createTableParts({ clock })
  for (const update of saw.documents.updatesSince(new Map())) expect(update.byteLength).toBeLessThan(300 * 1024)
  for (const owner of owners) kept.ingest(row(owner, 'one'), 'sync')
  expect(kept.view.size).toBe(owners.length)
})

test('rows come before proofs where a state vector has no room for all', () => {
  seeBoth(saw, owners[0]!)
  expect(saw.documents.clocks().size).toBeLessThanOrEqual(MAX_ROWS)
})

test('a proof is on the disk, also after the document was built anew, and bans its owner at the next start', async () => {
  const [liar, honest] = owners
  const written: Uint8Array[] = []
  const store = {
    append: (_: number, update: Uint8Array) => written.push(update),
    replace: (epoch: number, update: Uint8Array) => (
      epoch === TODAY && written.splice(0, Infinity, update),
      Promise.resolve()
    ),
    load: (epoch: number) => Promise.resolve(epoch === TODAY ? [...written] : []),
    confirmRead: () => undefined,
    keepOnly: () => Promise.resolve(),
    needsReplacing: () => false,
  } as unknown as TableStore
  const replica = createTableReplica({ ...saw, store, clock, log: createRecordingLog() })
  saw.ingest(honest!.row(), 'sync')
  seeBoth(saw, liar!)
  for (const rebuildAll of [false, true]) {
    await replica.maintain({ rebuildAll })
    const again = createTableParts({ clock })
    await createTableReplica({ ...again, store, clock, log: createRecordingLog() }).load()
    expect([...again.view.rows()].map(({ peerId }) => peerId)).toEqual([honest!.peerId])
    expect(again.ingest(row(liar!, 'one'), 'gossip')).toBe('banned')
  }
})

test('a hundred proofs that come together are one transaction, whatever they are', () => {
  let transactions = 0
  const doc = new Doc()
  doc.on('afterTransaction', () => (transactions += 1))
  saw = createTableParts({ clock, createDoc: () => doc, defer: never })
  for (const owner of owners) seeBoth(saw, owner)
  saw.verifier.flush()
  expect(transactions).toBe(1)
  expect(doc.store.clients.size).toBe(2 * MAX_PROOFS)
})

test('a proof is told of once, and not when it is read from the disk', () => {
  const told: string[] = []
  saw.verifier.onProof(({ peerId }) => told.push(peerId))
  const [first, second] = owners
  seeBoth(saw, first!)
  saw.ingest(row(first!, 'third'), 'sync')
  saw.ingest(row(second!, 'one'), 'disk')
  saw.ingest(row(second!, 'other'), 'disk')
  expect(told).toEqual([first!.peerId])
})
