import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import * as Y from 'yjs'
import { createClockWatch } from '../../../src-main/node-table/replicate/clock-watch.js'
import type { ClockWatch } from '../../../src-main/node-table/replicate/clock-watch.js'
import { createSenderLimits } from '../../../src-main/node-table/replicate/sender-limits.js'
import { initiateSync, respondToSync } from '../../../src-main/node-table/replicate/sync-session.js'
import { canonicalUpdate, clientIdOf } from '../../../src-main/node-table/wire/canonical-update.js'
import { EPOCH_MS } from '../../../src-main/node-table/wire/epoch.js'
import type { KeyRing } from '../../../src-main/node-table/wire/key-ring.js'
import { createKeyRing } from '../../../src-main/node-table/wire/key-ring.js'
import { createFramePipe } from '../../fixtures/frame-pipe.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'
import { createOwners, createTurnableClock, TODAY } from '../../fixtures/table-owners.js'
import { createTableParts, type TableParts, type TablePartsOptions } from '../../fixtures/table-parts.js'

const NOON = EPOCH_MS / 2
const clock = createTurnableClock()
const keys: KeyRing = createKeyRing()
const log = createRecordingLog()
/** All valid: five owners, each with rows and a withdrawal of today and one row of yesterday. */
let envelopes: Uint8Array[]

beforeAll(async () => {
  const owners = await createOwners(5)
  envelopes = owners.flatMap((owner, index) => [
    owner.row({ epoch: TODAY - 1, seq: EPOCH_MS - 1 - index, leaseMs: EPOCH_MS / 2 }),
    owner.row({ seq: 0, leaseMs: EPOCH_MS / 2, models: ['first'] }),
    owner.row({ seq: NOON - 100 * index, models: ['second'] }),
    owner.withdrawal({ seq: NOON - 100 * index + 1 }),
    owner.row({ seq: NOON + 1000, models: ['third', `only-${String(index)}`] }),
  ])
})

interface Replica extends TableParts {
  limits: ReturnType<typeof createSenderLimits>
  clock: typeof clock
  clockWatch: ClockWatch
  take: (bytes: Uint8Array) => void
  bytes: (epoch: number) => Uint8Array
}

function createReplica(options: Partial<TablePartsOptions> = {}): Replica {
  const table = createTableParts({ clock, keys, log, defer: undefined, ...options })
  return {
    ...table,
    limits: createSenderLimits({ monotonic: clock, log }),
    clock,
    clockWatch: createClockWatch({ clock, monotonic: clock, log, sourceOf: (peerId) => peerId }),
    take: (bytes) => table.ingest(bytes, 'sync'),
    bytes(epoch) {
      table.verifier.flush()
      const doc = table.documents.get(epoch)
      return doc === undefined ? canonicalUpdate([]) : Y.encodeStateAsUpdate(doc)
    },
  }
}

function rowsOf({ view }: Replica): unknown[] {
  return [...view.rows()].sort((a, b) => a.peerId.localeCompare(b.peerId))
}

function canonicalOf({ view }: Replica, epoch: number): Uint8Array {
  const entries = [...view.all()].filter((entry) => entry.epoch === epoch)
  return canonicalUpdate(entries.map((entry) => ({ ...entry, clientId: clientIdOf(entry.peerId, epoch) })))
}

async function sync(a: Replica, b: Replica): Promise<void> {
  const [left, right] = createFramePipe()
  await Promise.all([initiateSync(a, left, 'b', { inFull: false }), respondToSync(b, right, 'a')])
}

/** Deliveries of envelopes by index, with losses, repetitions, any order; flushes in between. */
const deliveries = fc.array(fc.nat(24), { maxLength: 40 })

test('whatever the order and repetition of envelopes, documents are byte-identical and views equal', () => {
  const everything = Array.from({ length: 25 }, (_, index) => index)
  const order = fc
    .tuple(fc.shuffledSubarray(everything, { minLength: 25 }), deliveries)
    .map(([all, again]) => [...all, ...again])
  fc.assert(
    fc.property(order, order, fc.nat(5), (first, second, flushEvery) => {
      const [a, b] = [createReplica(), createReplica()]
      first.forEach((index, step) => {
        a.take(envelopes[index]!)
        if (step % (flushEvery + 1) === 0) a.verifier.flush()
      })
      for (const index of second) b.take(envelopes[index]!)
      expect(a.bytes(TODAY)).toEqual(b.bytes(TODAY))
      const fresh = new Y.Doc()
      Y.applyUpdate(fresh, canonicalOf(a, TODAY))
      expect(Y.encodeStateAsUpdate(fresh)).toEqual(a.bytes(TODAY))
      expect(rowsOf(a)).toEqual(rowsOf(b))
      expect(a.view.digest()).toEqual(b.view.digest())
    }),
    { numRuns: 40 },
  )
})

test('after losses, one sync makes two tables the same, whichever side asks', async () => {
  await fc.assert(
    fc.asyncProperty(deliveries, deliveries, async (first, second) => {
      const [a, b] = [createReplica(), createReplica()]
      for (const index of first) a.take(envelopes[index]!)
      for (const index of second) b.take(envelopes[index]!)
      await sync(a, b)
      expect(rowsOf(a)).toEqual(rowsOf(b))
      expect(a.view.digest()).toEqual(b.view.digest())
      for (const epoch of [TODAY - 1, TODAY]) expect(canonicalOf(a, epoch)).toEqual(canonicalOf(b, epoch))
      expect(a.bytes(TODAY)).toEqual(b.bytes(TODAY))
    }),
    { numRuns: 40 },
  )
})

test('a document rebuilt from the view is what any other node has', () => {
  const [a, b] = [createReplica(), createReplica()]
  for (const bytes of envelopes) a.take(bytes)
  for (const bytes of envelopes.toReversed()) b.take(bytes)
  a.verifier.flush()
  for (const epoch of [TODAY - 1, TODAY]) {
    a.documents.rebuild(epoch)
    expect(a.bytes(epoch)).toEqual(b.bytes(epoch))
  }
})

test('the document of a table is one that stock Yjs reads', () => {
  const replica = createReplica()
  for (const bytes of envelopes) replica.take(bytes)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, replica.bytes(TODAY))
  const stored = Object.fromEntries(doc.getMap('nodes').entries())
  expect(stored).toEqual(Object.fromEntries([...replica.view.all()].map(({ peerId, bytes }) => [peerId, bytes])))
})

test('two peers with one client id: the later one gets a document of its own, and both are in every view', async () => {
  const shared = createRecordingLog()
  const clientIdOf = (): number => 42
  const [a, b] = [createReplica({ log: shared, clientIdOf }), createReplica({ clientIdOf })]
  const rows = envelopes.slice(-1).concat(envelopes.slice(4, 5))
  for (const bytes of rows) a.take(bytes)
  a.verifier.flush()
  expect([a.view.size, a.documents.get(TODAY)!.getMap('nodes').size]).toEqual([2, 1])
  expect(shared.lines.map(({ level }) => level)).toEqual(['warn'])
  for (const round of [1, 2]) {
    await sync(a, b)
    expect(rowsOf(b), String(round)).toEqual(rowsOf(a))
  }
})
